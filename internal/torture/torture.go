// Package torture is what the tests of faults share: how much they try, the seed that
// repeats a failure, and the record of what they tried and found. The records of a
// run become the tables of docs/reliability.md (report).
package torture

import (
	"encoding/json"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

const (
	// LevelEnv is "1" for the whole figures, "sample" for a part of them. Without it
	// the tests try a few faults only.
	LevelEnv = "LYTICS_TORTURE"
	// SeedEnv repeats the faults of a seed.
	SeedEnv = "LYTICS_TORTURE_SEED"
	// ResultsEnv is a file to which each test appends its record, a line of JSON.
	ResultsEnv = "LYTICS_TORTURE_RESULTS"
)

// Level is how much the tests try.
type Level string

// The levels.
const (
	Few    Level = "few"
	Sample Level = "sample"
	Whole  Level = "whole"
)

// LevelOf returns the level of this process.
func LevelOf() Level {
	switch os.Getenv(LevelEnv) {
	case "":
		return Few
	case "sample":
		return Sample
	}
	return Whole
}

// Times chooses a number by the level.
func Times(few, sample, whole int) int {
	return map[Level]int{Few: few, Sample: sample, Whole: whole}[LevelOf()]
}

// Seed returns the seed of SeedEnv, else a new one. If the test fails, it logs the
// seed.
func Seed(t *testing.T) uint64 {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv(SeedEnv), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat it with %s=%d", SeedEnv, seed)
		}
	})
	return seed
}

// Record is what a test tried and found.
type Record struct {
	// Figure is the name of the row in the table, and Test the test's name.
	Figure string `json:"figure"`
	Test   string `json:"test"`
	Level  Level  `json:"level"`
	// Tried is the number of faults, or of what Unit says.
	Tried int    `json:"tried"`
	Unit  string `json:"unit"`
	// Lost and Doubled are rows; Wrong are states that must not be.
	Lost    int `json:"lost"`
	Doubled int `json:"doubled"`
	Wrong   int `json:"wrong"`
	// Note says what else was measured.
	Note    string  `json:"note,omitempty"`
	Seconds float64 `json:"seconds"`
	// At is the day of the run. Commit, Cores and Load describe it; make torture
	// sets Commit.
	At     string  `json:"at"`
	Commit string  `json:"commit,omitempty"`
	Cores  int     `json:"cores"`
	Load   float64 `json:"load"`
}

var appending sync.Mutex

// Begin begins the record of a figure. It is appended to the file of ResultsEnv when
// the test ends; a failed test without a count has one wrong state.
func Begin(t *testing.T, figure, unit string) *Record {
	t.Helper()
	r := &Record{Figure: figure, Unit: unit, Test: t.Name(), Level: LevelOf()}
	begun := time.Now()
	t.Cleanup(func() {
		file := os.Getenv(ResultsEnv)
		if file == "" || t.Skipped() {
			return
		}
		if t.Failed() && r.Lost+r.Doubled+r.Wrong == 0 {
			r.Wrong = 1
		}
		r.Seconds = time.Since(begun).Seconds()
		r.describeMachine()
		if err := r.appendTo(file); err != nil {
			t.Errorf("the record of %s is lost: %v", figure, err)
		}
	})
	return r
}

// appendTo appends the record as one write, because several test binaries may write
// to the file.
func (r *Record) appendTo(file string) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	appending.Lock()
	defer appending.Unlock()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
