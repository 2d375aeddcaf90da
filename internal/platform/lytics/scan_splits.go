package lytics

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// All that is known of the parameter splits is a sentence of the published description (v1,
// SegmentScan): a list of integers from 0 to 99, separated by commas, "for a-b split testing
// (a=1,5,8)". So splits are numbers of groups, not a count of them, and one scan may ask for
// several groups. Unknown is whether each profile is in one group, and whether the total of a
// page is that of the groups; Lytics' own client, command line and skills do not use the
// parameter. So the totals decide: the splits are read only if they add up to the audience.
const (
	// splits is the number of splits, which count from 0.
	splits = 100
	// parallelScans is the number of scans that read the splits side by side.
	parallelScans = 8
	// leastSplit is the smallest audience that is read by its splits, in profiles: for a
	// smaller one the first pages of the scans take as long as they save.
	leastSplit = 10 * pageSize
)

// splitPageLimits are the limits of a page of splits. As many pages are in memory at once as
// there are scans, and as many again are on their way.
var splitPageLimits = egress.Limits{Bytes: pageLimits.Bytes / parallelScans, Values: pageLimits.Values / parallelScans}

// errSplitsRefused means that the audience has to be read in one sequence of pages.
var errSplitsRefused = errors.New("lytics does not give the splits of the audience")

// splitsOf lists every parallelScans-th split.
func splitsOf(first int) string {
	var list []string
	for n := first; n < splits; n += parallelScans {
		list = append(list, strconv.Itoa(n))
	}
	return strings.Join(list, ",")
}

// readSplits reads an audience of a number of profiles by its splits. done is false, and
// nothing was stored, if their totals are not those of parts of the audience: with fewer
// profiles than the audience, some are in no split; with a tenth more than it, Lytics ignores
// the parameter or counts the whole audience in each answer. counted is the smallest number
// of profiles that Lytics counted meanwhile.
func (s *scan) readSplits(ctx context.Context, total int64) (counted int64, done bool, err error) {
	var (
		parts [parallelScans]*sequence
		first [parallelScans]page
	)
	for i := range parts {
		parts[i] = s.sequence(splitsOf(i), splitPageLimits)
	}
	err = eachPart(ctx, func(ctx context.Context, i int) (err error) {
		first[i], err = parts[i].read(ctx)
		return err
	})
	switch {
	case errors.Is(err, errSplitsRefused):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	}
	if sum := totalOf(parts[:]); sum < total || sum > total+total/10 {
		return 0, false, nil
	}
	err = eachPart(ctx, func(fetching context.Context, i int) error { return parts[i].run(ctx, fetching, first[i]) })
	return min(totalOf(parts[:]), total), err == nil, err
}

// totalOf adds up totals; it is -1 if one is missing.
func totalOf(parts []*sequence) (sum int64) {
	for _, q := range parts {
		if q.total < 0 {
			return -1
		}
		sum += q.total
	}
	return sum
}

// eachPart calls f for each of the parallel scans. The first error ends them all.
func eachPart(ctx context.Context, f func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range parallelScans {
		group.Go(func() error { return panics.Catch(func() error { return f(ctx, i) }) })
	}
	return group.Wait()
}
