package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticksPerSecond is the unit of the times in /proc, which Linux fixes for programs.
const ticksPerSecond = 100

// treeCPU is the CPU time in seconds of a process, of those that it started, and of
// those of them that have ended; 0 on a system without /proc.
func treeCPU(pid int) float64 {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	type process struct {
		parent int
		ticks  int64
	}
	all := map[int]process{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil { // it has just ended, and its parent has its time
			continue
		}
		// The name in brackets may have blanks and brackets.
		name := strings.LastIndexByte(string(text), ')')
		fields := strings.Fields(string(text[name+1:]))
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if name < 0 || len(fields) < 15 {
			continue
		}
		p := process{}
		p.parent, _ = strconv.Atoi(fields[1])
		for _, field := range fields[11:15] { // utime, stime, and those of the children that were waited for
			n, _ := strconv.ParseInt(field, 10, 64)
			p.ticks += n
		}
		all[id] = p
	}
	var ticks int64
	for id, p := range all {
		for ancestor := id; ancestor > 0; ancestor = all[ancestor].parent {
			if ancestor == pid {
				ticks += p.ticks
				break
			}
		}
	}
	return float64(ticks) / ticksPerSecond
}

// machineCPU is the CPU time in seconds of all processes since the machine started; 0
// on a system without /proc.
func machineCPU() float64 {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var busy int64
	for i, field := range strings.Fields(line) {
		// The fields are user, nice, system, idle, iowait, irq, softirq, steal, and two that
		// user and nice include.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, _ := strconv.ParseInt(field, 10, 64)
		busy += n
	}
	return float64(busy) / ticksPerSecond
}
