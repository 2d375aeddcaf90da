package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// measureLarge compares imports of different sizes: memory must stay constant,
// and time must grow linearly.
func measureLarge(ctx context.Context, b *bench) (err error) {
	s, err := b.start(ctx, "large", "-memory-limit", duckMemory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	small := b.options.large / 20
	took := map[int]result{}
	sandboxes := map[int]int64{}
	for _, rows := range []int{small, b.options.large / 2, b.options.large} {
		if err := s.table(ctx, "large", rows); err != nil {
			return err
		}
		dir := b.store("large")
		r, err := b.process(ctx, work{Kind: "import", Sandbox: s, Table: "large", Rows: rows, Dir: dir}, 0)
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			return err
		}
		took[rows] = r
		peak, known, err := s.peakMemory()
		if err != nil {
			return err
		}
		if known {
			sandboxes[rows] = peak
		}
		fmt.Printf("  %s rows: %.2f s, %.2f s of CPU, peak %d MiB, of the sandbox %d MiB\n",
			short(rows), r.Seconds, r.CPU, r.Memory>>20, peak>>20)
	}
	memory := func(rows int) float64 { return float64(took[rows].Memory) / (1 << 20) }
	b.add(figure{
		Name: fmt.Sprintf("peak memory, %s rows", short(b.options.large)), Floor: short(small) + " rows",
		Measured: memory(b.options.large), Base: memory(small), Unit: "MiB", Ratio: memory(b.options.large) / memory(small), Goal: 1.1,
	})
	b.add(figure{
		Name: fmt.Sprintf("peak memory, %s rows, absolute", short(b.options.large)), Floor: "256 MiB",
		Measured: memory(b.options.large), Base: 256, Unit: "MiB", Ratio: memory(b.options.large) / 256, Goal: 1,
	})
	if peak, known := sandboxes[b.options.large/2]; known {
		b.add(figure{
			Name:  fmt.Sprintf("peak memory of the sandbox, %s rows", short(b.options.large/2)),
			Floor: fmt.Sprintf("%d MiB", sandboxMemory), Measured: float64(peak) / (1 << 20), Base: sandboxMemory, Unit: "MiB",
			Ratio: float64(peak) / (1 << 20) / sandboxMemory, Goal: 1, Note: "with the creation of the table; -memory-limit is " + duckMemory,
		})
	}
	b.add(figure{
		Name: fmt.Sprintf("time, %s rows", short(b.options.large/2)), Floor: short(small) + " rows",
		Measured: took[b.options.large/2].Seconds, Base: took[small].Seconds, Unit: "s",
		Ratio: took[b.options.large/2].Seconds / took[small].Seconds, Goal: 10.5,
		Note: "with the sandbox, which sorts each slice",
	})
	b.add(figure{
		Name: fmt.Sprintf("CPU time of the product, %s rows", short(b.options.large/2)), Floor: short(small) + " rows",
		Measured: took[b.options.large/2].CPU, Base: took[small].CPU, Unit: "s",
		Ratio: took[b.options.large/2].CPU / took[small].CPU, Goal: 10.5,
	})
	return nil
}

// duckMemory is the memory of DuckDB, whose sorts go to disk beyond it.
const duckMemory = "512MB"

// sandboxMemory is the most memory of the sandbox, in MiB, for a large import.
const sandboxMemory = 1024
