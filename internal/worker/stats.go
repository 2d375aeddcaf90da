package worker

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// stats are the figures of a Pool.
type stats struct {
	started, lost atomic.Int64
	busy          atomic.Int64
}

// Collectors are the pool's metrics for Prometheus.
func (p *Pool) Collectors() []prometheus.Collector {
	counter := func(name, help string, n *atomic.Int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(n.Load()) })
	}
	processes := func(state string, n func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "lytics_workers", Help: "Worker processes, by whether they work.", ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 { return float64(n()) })
	}
	return []prometheus.Collector{
		counter("lytics_workers_started_total", "Worker processes that were started.", &p.stats.started),
		counter("lytics_workers_lost_total", "Worker processes that ended while they worked.", &p.stats.lost),
		processes("busy", p.Busy),
		processes("free", p.Free),
	}
}

// Free is the number of processes that wait for a task.
func (p *Pool) Free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.free)
}

// Busy is the number of processes that execute a run or answer a question.
func (p *Pool) Busy() int { return int(p.stats.busy.Load()) }

// Started is the number of processes that were started.
func (p *Pool) Started() int { return int(p.stats.started.Load()) }
