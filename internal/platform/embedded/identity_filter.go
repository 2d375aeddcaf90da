package embedded

import "hash/maphash"

// identityFilter is a Bloom filter of the identities that a generation has. It tells
// without a query that an identity is new. A build uses one only if it began the
// generation: then all identities are written by it. What another process writes
// meanwhile cannot be committed before the lock was lost, and then the build's fence
// fails.
type identityFilter struct {
	seed   maphash.Seed
	blocks []filterBlock
}

// filterBlock is a cache line. An identity sets bits in one block.
type filterBlock [8]uint64

// The size of a filter. With bitsPerIdentity, it takes about one in 500 new identities
// for a known one; beyond maxFilterBytes more of them, which only cost queries.
const (
	bitsPerIdentity = 13
	maxFilterBytes  = 32 << 20
	bitsOfIdentity  = 6
)

// newIdentityFilter returns a filter for a number of identities.
func newIdentityFilter(expected int64) *identityFilter {
	const blockBytes = 64
	blocks := min(max(expected, 0)/(8*blockBytes)*bitsPerIdentity+1, maxFilterBytes/blockBytes)
	return &identityFilter{seed: maphash.MakeSeed(), blocks: make([]filterBlock, blocks)}
}

// at returns the block of an identity, and the hash that selects its bits.
func (f *identityFilter) at(i identity) (*filterBlock, uint64) {
	h := maphash.String(f.seed, i.value) ^ uint64(i.field)*0x9e3779b97f4a7c15
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	// The upper half selects the block, the lower half the bits.
	return &f.blocks[(h>>32)*uint64(len(f.blocks))>>32], h * 0x9e3779b97f4a7c15
}

func (f *identityFilter) add(i identity) {
	block, h := f.at(i)
	for range bitsOfIdentity {
		block[h>>61] |= 1 << (h >> 55 & 63)
		h <<= 9
	}
}

// mayHave reports false only for an identity that was not added.
func (f *identityFilter) mayHave(i identity) bool {
	block, h := f.at(i)
	for range bitsOfIdentity {
		if block[h>>61]&(1<<(h>>55&63)) == 0 {
			return false
		}
		h <<= 9
	}
	return true
}
