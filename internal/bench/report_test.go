package main

import "testing"

// A section that was measured again takes the place of the one before; the others stay.
func TestSectionsOfTheSameTitleAreReplaced(t *testing.T) {
	t.Parallel()
	measured := []section{{"A fleet", "new\n"}}
	for further, want := range map[string]string{
		"": "\n## A fleet\n\nnew\n",
		"\n## Over a network\n\nkept\n\n## A fleet\n\nold\n\n### below\n\nold\n\n## Single parts\n\nkept\n": "\n## A fleet\n\nnew\n" +
			"\n## Over a network\n\nkept\n\n## Single parts\n\nkept\n",
	} {
		if got := replaceSections(further, measured); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A query of several lines is one cell of a table.
func TestAQueryFitsIntoACell(t *testing.T) {
	t.Parallel()
	if got, want := shortQuery("SELECT 'a' || $1\n\t\tFROM runs"), `SELECT 'a' \|\| $1 FROM runs`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
