package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// cost is what a command took: its wall time, and the user and system time of its processes.
type cost struct{ wall, cpu time.Duration }

func (c cost) String() string {
	return fmt.Sprintf("%.2f s and %.2f CPU-s", c.wall.Seconds(), c.cpu.Seconds())
}

// pair is what the two commands took, one after the other.
type pair struct{ sling, product cost }

// The goals for the median of the pairs' ratios: how many times as much sling takes.
const (
	wallGoal = 5
	cpuGoal  = 10
)

// report prints the smallest, the median and the largest figure of all pairs.
func report(w io.Writer, pairs []pair) {
	line := func(name, format string, of func(pair) float64) float64 {
		figures := make([]float64, len(pairs))
		for i, p := range pairs {
			figures[i] = of(p)
		}
		slices.Sort(figures)
		median := figures[len(figures)/2]
		if len(figures)%2 == 0 {
			median = (figures[len(figures)/2-1] + median) / 2
		}
		_, _ = fmt.Fprintf(w, "%-40s"+strings.Repeat(" %11s", 3), name,
			fmt.Sprintf(format, figures[0]), fmt.Sprintf(format, median), fmt.Sprintf(format, figures[len(figures)-1]))
		return median
	}
	goal := func(median, atLeast float64) {
		mark := "met"
		if median < atLeast {
			mark = "not met"
		}
		_, _ = fmt.Fprintf(w, "   goal >= %g x: %s\n", atLeast, mark)
	}
	_, _ = fmt.Fprintf(w, "\n%-40s %11s %11s %11s\n", fmt.Sprintf("%d pairs", len(pairs)), "min", "median", "max")
	line("sling run, wall", "%.2f s", func(p pair) float64 { return p.sling.wall.Seconds() })
	_, _ = fmt.Fprintln(w)
	line("terraform apply, wall", "%.2f s", func(p pair) float64 { return p.product.wall.Seconds() })
	_, _ = fmt.Fprintln(w)
	line("sling run, CPU", "%.2f s", func(p pair) float64 { return p.sling.cpu.Seconds() })
	_, _ = fmt.Fprintln(w)
	line("terraform apply with its plugin, CPU", "%.2f s", func(p pair) float64 { return p.product.cpu.Seconds() })
	_, _ = fmt.Fprintln(w)
	goal(line("wall, sling / terraform apply", "%.2f x",
		func(p pair) float64 { return p.sling.wall.Seconds() / p.product.wall.Seconds() }), wallGoal)
	goal(line("CPU, sling / terraform apply", "%.2f x",
		func(p pair) float64 { return p.sling.cpu.Seconds() / p.product.cpu.Seconds() }), cpuGoal)
}

// load is the load of the machine over the last minute: what else runs disturbs the figures.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}
