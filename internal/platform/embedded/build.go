package embedded

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

// buildLimits limits the memory of a build, and the identities of one user.
type buildLimits struct {
	// batchEvents and batchBytes are the size of a batch, and firstBatchEvents and
	// firstBatchBytes that of a first build, which commits several batches together.
	batchEvents, batchBytes           int
	firstBatchEvents, firstBatchBytes int
	// aheadBytes limits the events that are evaluated ahead.
	aheadBytes int
	// cachedBytes and cachedIdentities limit the profiles and identities that stay
	// in memory from batch to batch.
	cachedBytes, cachedIdentities int
	// unwrittenBytes limits the memory of the identities that a first build writes
	// together.
	unwrittenBytes int
	// identities is the largest number of identities of one profile.
	identities int
}

var defaultLimits = buildLimits{
	batchEvents: 80_000, batchBytes: 24 << 20, firstBatchEvents: 20_000, firstBatchBytes: 6 << 20, aheadBytes: 8 << 20,
	cachedBytes: 24 << 20, cachedIdentities: 100_000, unwrittenBytes: 60 << 20, identities: 1000,
}

// commitEvery is how long a first build may go on without a commit: that much work is
// repeated after a kill.
const commitEvery = time.Minute

// progressEvery is the least number of events between two calls of progress.
const progressEvery = 5000

// BuildProfiles merges the committed events of the streams into the profiles, by the
// current fields and mappings. It calls progress, which may be nil, with the number of
// merged events and the number of all events to merge. While another process builds,
// BuildProfiles waits. Without mappings it builds no profiles and returns no error.
func (p *Platform) BuildProfiles(ctx context.Context, progress func(done, total int64)) (platform.ProfileStats, error) {
	const summary = "Cannot build profiles"
	lock, err := p.profiles.lock(ctx)
	if err != nil {
		return platform.ProfileStats{}, p.storageError(summary, err)
	}
	stats, err := p.build(ctx, lock, progress)
	if err = errors.Join(err, lock.release()); err != nil {
		return platform.ProfileStats{}, p.storageError(summary, err)
	}
	return stats, nil
}

func (p *Platform) build(ctx context.Context, lock buildLock, progress func(done, total int64)) (platform.ProfileStats, error) {
	if err := p.adoptPlaceholders(ctx, lock); err != nil {
		return platform.ProfileStats{}, err
	}
	pl, err := p.mappingPlan(ctx)
	if err != nil {
		return platform.ProfileStats{}, err
	}
	g, err := p.chooseGeneration(ctx, lock, pl)
	if err != nil || g.id == 0 {
		return platform.ProfileStats{}, err
	}
	g.fields = pl.fields
	b := &builder{p: p, plan: pl, limits: p.limits, progress: progress}
	stats, err := b.run(ctx, lock, g)
	if err != nil {
		return platform.ProfileStats{}, err
	}
	stats.Rebuilt = !g.current
	if !g.current {
		if err := p.makeCurrent(ctx, lock, g); err != nil {
			return platform.ProfileStats{}, err
		}
	}
	pending, err := p.erasurePending(ctx)
	if err == nil && pending {
		var removed int64
		removed, err = p.finishErasure(ctx, lock, g)
		stats.Profiles -= removed
	}
	return stats, errors.Join(err, p.sweepGenerations(ctx, lock))
}

// chooseGeneration returns the generation to build: the current one, one that a dead
// process was building, or a new one. It returns the zero generation if there is
// nothing to build.
func (p *Platform) chooseGeneration(ctx context.Context, lock buildLock, pl *mappingPlan) (generation, error) {
	list, err := listGenerations(ctx, p.db.Read(), `ORDER BY current DESC, id DESC`)
	if err != nil {
		return generation{}, err
	}
	if len(pl.streams) == 0 {
		if len(list) == 0 {
			return generation{}, nil
		}
		if err := p.makeCurrent(ctx, lock, generation{}); err != nil {
			return generation{}, err
		}
		return generation{}, p.sweepGenerations(ctx, lock)
	}
	for _, g := range list {
		if g.fingerprint != pl.fingerprint {
			continue
		}
		begun, err := lock.exists(ctx, g)
		if err != nil {
			return generation{}, err
		}
		// If the profiles of the current generation were removed, a new generation
		// replaces it. A generation that no build has begun is used.
		if begun || !g.current {
			return g, nil
		}
	}
	return p.newGeneration(ctx, lock, pl)
}

// builder merges events into one generation.
type builder struct {
	p        *Platform
	plan     *mappingPlan
	limits   buildLimits
	progress func(done, total int64)

	out *generationDB
	*batch
	cache  cache
	recent recentProfiles
	erased *erasedList
	// known is nil unless this build began the generation.
	known *identityFilter
	// batchEvents and batchBytes are the size of a batch.
	batchEvents, batchBytes int
	// committed is the time of the last commit.
	committed time.Time

	counters counters
	stats    platform.ProfileStats
	done     int64
	total    int64
}

func (b *builder) run(ctx context.Context, lock buildLock, g generation) (_ platform.ProfileStats, err error) {
	if b.out, err = lock.open(ctx, g); err != nil {
		return platform.ProfileStats{}, err
	}
	defer func() { err = errors.Join(err, b.out.close()) }()
	b.committed = b.p.now()
	b.batchEvents, b.batchBytes = b.limits.batchEvents, b.limits.batchBytes
	readers, err := b.readers(ctx)
	if err != nil {
		return platform.ProfileStats{}, err
	}
	if b.erased, err = b.p.erased(ctx); err != nil {
		return platform.ProfileStats{}, err
	}
	b.batch = &batch{found: map[identity]int64{}, loaded: map[int64][2]int{}, unwritten: newUnwrittenIdentities()}
	b.forgetIdentities()
	b.cache.clear()
	defer b.rollback()
	if err := b.beginFilter(ctx); err != nil {
		return platform.ProfileStats{}, err
	}
	defer func() {
		for _, r := range readers {
			r.close()
		}
	}()
	b.reportProgress()
	for i, r := range readers {
		if err := b.buildStream(ctx, b.plan.streams[i], r); err != nil {
			return platform.ProfileStats{}, err
		}
	}
	b.reportProgress()
	b.stats.Events = b.done
	b.stats.Profiles, b.stats.Unidentified = b.counters.Profiles, b.counters.Unidentified
	b.stats.Unfit, b.stats.Conflicts = b.counters.Unfit, b.counters.Conflicts
	return b.stats, nil
}

// readers opens the mapped streams from their positions up to the last committed
// extent, and counts the events in between.
func (b *builder) readers(ctx context.Context) ([]*streamReader, error) {
	positions, err := b.out.positions(ctx)
	if err != nil {
		return nil, err
	}
	if b.counters, err = b.out.counters(ctx); err != nil {
		return nil, err
	}
	var readers []*streamReader
	for _, s := range b.plan.streams {
		last, err := b.p.lastExtent(ctx, s.name)
		if err != nil {
			return nil, err
		}
		at := positions[s.name]
		if at.extent > last {
			return nil, b.p.damageError("The profiles are ahead of stream "+s.name,
				"they were built from events that the store does not have, for example after a restore of the store alone; "+
					b.p.profiles.rebuildHint()+" to build them again")
		}
		var remaining int64
		from := at.extent
		if at.offset == 0 {
			from++ // the position is at the end of the extent
		}
		err = b.p.db.Read().QueryRowContext(ctx,
			`SELECT CAST(coalesce(sum(events), 0) AS BIGINT) FROM extents WHERE stream = ? AND id >= ? AND id <= ?`,
			s.name, from, last).Scan(&remaining)
		if err != nil {
			return nil, err
		}
		b.total += remaining - at.events
		readers = append(readers, &streamReader{p: b.p, stream: s.name, last: last, at: at})
	}
	return readers, nil
}

func (b *builder) reportProgress() {
	if b.progress != nil {
		b.progress(b.done, b.total)
	}
}

// beginFilter makes the filter of identities if the generation has none yet.
func (b *builder) beginFilter(ctx context.Context) error {
	empty, err := b.out.empty(ctx)
	if err != nil || !empty {
		return err
	}
	identifiers := 0
	for _, s := range b.plan.streams {
		n := 0
		for _, d := range s.definitions {
			if b.plan.fields[d.field].IsIdentifier {
				n++
			}
		}
		identifiers = max(identifiers, n)
	}
	expected := b.total * int64(identifiers)
	b.known = newIdentityFilter(expected)
	if !b.out.dialect.shared {
		b.batchEvents, b.batchBytes = min(b.batchEvents, b.limits.firstBatchEvents), b.limits.firstBatchBytes
	}
	b.unwritten.reserve(expected, b.limits.unwrittenBytes)
	return nil
}

// buildStream merges the events of one stream in batches.
func (b *builder) buildStream(ctx context.Context, s *streamMappings, r *streamReader) error {
	ahead := b.evaluateAhead(ctx, s, r)
	defer ahead.stop()
	var at position
	for {
		c, err := ahead.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		b.addChunk(&c.evaluated)
		at = c.at
		before := b.done
		b.done += int64(c.evaluated.taken)
		if b.done/progressEvery > before/progressEvery {
			b.reportProgress()
		}
		if b.taken < b.batchEvents && b.bytes < b.batchBytes {
			continue
		}
		if err := b.mergeBatch(ctx); err != nil {
			return err
		}
		if b.mayWait() {
			continue
		}
		if err := b.commit(ctx, s.name, at); err != nil {
			return err
		}
	}
	if b.taken > 0 {
		if err := b.mergeBatch(ctx); err != nil {
			return err
		}
	}
	if b.tx == nil {
		return nil
	}
	return b.commit(ctx, s.name, at)
}
