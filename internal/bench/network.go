package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// measureNetwork measures imports, exports, scans and uploads over a link of 40 ms and
// 200 Mbit/s. The sandbox chooses the form of a result as Databricks does: files for a large
// one.
func measureNetwork(ctx context.Context, b *bench) (err error) {
	s, err := b.start(ctx, "network", "-results", "auto")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	if err := s.table(ctx, "usual", b.options.rows); err != nil {
		return err
	}
	l := newLink()
	defer l.close()
	up, down, err := l.speeds(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("  the link itself: %.1f Mbit/s up, %.1f Mbit/s down\n", up*8/1e6, down*8/1e6)
	slow, warehouse, s3, err := l.behind(s)
	if err != nil {
		return err
	}
	if err := b.networkImport(ctx, s, slow, warehouse, down); err != nil {
		return err
	}
	if err := b.networkExport(ctx, slow, s3, up); err != nil {
		return err
	}
	if err := b.networkScan(ctx, s, l); err != nil {
		return err
	}
	return b.networkEvents(ctx, s, l, up)
}

// networkImport compares an import over the link with its rows as native Arrow at the link's
// own speed, and the bytes on the wire with native Arrow in LZ4.
func (b *bench) networkImport(ctx context.Context, s, slow *sandbox, warehouse *end, down float64) error {
	native, err := b.process(ctx, work{Kind: "floor-arrow", Sandbox: s, Table: "usual", Rows: b.options.rows}, 0)
	if err != nil {
		return err
	}
	floor := float64(native.Bytes) / down
	near, err := b.process(ctx, work{Kind: "import", Sandbox: s, Table: "usual", Rows: b.options.rows, Dir: b.store("network-near")}, 0)
	if err != nil {
		return err
	}
	warehouse.down.take()
	moved, err := b.process(
		ctx, work{Kind: "import", Sandbox: slow, Table: "usual", Rows: b.options.rows, Dir: b.store("network-import")}, 0)
	if err != nil {
		return err
	}
	wire, _ := warehouse.down.take()
	b.add(figure{
		Name: "import over 40 ms, 200 Mbit/s, wall time", Floor: "its rows as native Arrow at the link's own speed",
		Measured: moved.Seconds, Base: floor, Unit: "s", Ratio: floor / moved.Seconds, Goal: 0.8, AtLeast: true,
		Note: fmt.Sprintf("%.1f Mbit/s of the link are used; without the link it takes %.2f s",
			float64(wire)/moved.Seconds*8/1e6, near.Seconds),
	})
	perRow := func(n int64) float64 { return float64(n) / float64(b.options.rows) }
	b.add(figure{
		Name: "bytes a row over the wire", Floor: "native Arrow, LZ4",
		Measured: perRow(wire), Base: perRow(native.Packed), Unit: "bytes", Ratio: float64(wire) / float64(native.Packed), Goal: 1.3,
		Note: fmt.Sprintf("native Arrow without LZ4 has %.1f bytes a row", perRow(native.Bytes)),
	})
	return nil
}

// networkExport compares the upload of an export's files with the link's own speed. The time
// is that from the first to the last chunk of the files: after it the sandbox loads them,
// which takes many times as long.
func (b *bench) networkExport(ctx context.Context, slow *sandbox, s3 *end, up float64) error {
	s3.up.take()
	moved, err := b.process(ctx, work{Kind: "export-prepared", Sandbox: slow, Rows: b.options.rows, Name: "network"}, 0)
	if err != nil {
		return err
	}
	sent, over := s3.up.take()
	floor := float64(sent) / up
	b.add(figure{
		Name: "export over the same, upload of its files", Floor: "the link's own speed",
		Measured: over.Seconds(), Base: floor, Unit: "s", Ratio: floor / over.Seconds(), Goal: 0.8, AtLeast: true,
		Note: fmt.Sprintf("%.1f MB; the whole export took %.2f s, with COPY INTO and the replace at the sandbox", float64(sent)/1e6, moved.Seconds),
	})
	return nil
}

// scanned is the number of profiles of measured scans of Lytics.
const scanned = 100_000

// networkScan compares the scan of an audience of Lytics with one page after the other.
func (b *bench) networkScan(ctx context.Context, s *sandbox, l *link) (err error) {
	if err := s.table(ctx, "profiles", scanned); err != nil {
		return err
	}
	account, stop, err := b.lytics(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if _, err := b.process(ctx, work{
		Kind: "import", Sandbox: s, Table: "profiles", Rows: scanned, Lytics: account, Mapped: true, Dir: b.store("network-profiles"),
	}, 0); err != nil {
		return err
	}
	slow, _, err := l.lytics(account)
	if err != nil {
		return err
	}
	w := work{Sandbox: s, Rows: scanned, Lytics: slow, Dir: b.store("network-scan")}
	floor, moved := w, w
	floor.Kind, moved.Kind = "floor-scan", "scan"
	pages, err := b.process(ctx, floor, 0)
	if err != nil {
		return err
	}
	rows, err := b.process(ctx, moved, 0)
	if err != nil {
		return err
	}
	b.add(figure{
		Name: fmt.Sprintf("Lytics scan of %s profiles at 40 ms, wall time", short(scanned)), Floor: "sequential pages",
		Measured: rows.Seconds, Base: pages.Seconds, Unit: "s", Ratio: pages.Seconds / rows.Seconds, Goal: 6, AtLeast: true,
	})
	return nil
}

// networkEvents compares the upload of events to Lytics with the link's own speed. The
// warehouse is not behind the link, so that it is the uploads that are measured.
func (b *bench) networkEvents(ctx context.Context, s *sandbox, l *link, up float64) (err error) {
	account, stop, err := b.lytics(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	slow, bulk, err := l.lytics(account)
	if err != nil {
		return err
	}
	moved, err := b.process(
		ctx, work{Kind: "import", Sandbox: s, Table: "usual", Rows: b.options.rows, Lytics: slow, Dir: b.store("network-events")}, 0)
	if err != nil {
		return err
	}
	sent, _ := bulk.up.take()
	floor := float64(sent) / up
	b.add(figure{
		Name: "events to Lytics at 40 ms, 200 Mbit/s, wall time", Floor: "their bytes at the link's own speed",
		Measured: moved.Seconds, Base: floor, Unit: "s", Ratio: floor / moved.Seconds, Goal: 0.7, AtLeast: true,
		Note: fmt.Sprintf("%.0f bytes an event", float64(sent)/float64(b.options.rows)),
	})
	return nil
}

// lytics puts the link before an account. bulk is the end of its uploads.
func (l *link) lytics(a *lyticsAccount) (slow *lyticsAccount, bulk *end, err error) {
	api, err := l.before("lytics-api-"+fmt.Sprint(time.Now().UnixNano()), strings.TrimPrefix(a.APIURL, "http://"))
	if err != nil {
		return nil, nil, err
	}
	if bulk, err = l.before("lytics-bulk-"+fmt.Sprint(time.Now().UnixNano()), strings.TrimPrefix(a.BulkURL, "http://")); err != nil {
		return nil, nil, err
	}
	return &lyticsAccount{APIURL: "http://" + api.Address, BulkURL: "http://" + bulk.Address, Token: a.Token}, bulk, nil
}
