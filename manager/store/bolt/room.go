package bolt

// Sizes of a room, in bytes.
const (
	roomChunk = 256 << 10
	roomKept  = 64 // chunks that stay for the next transactions, at most
	// roomTurns is in how many transactions what is kept has to have been used once: large ones and
	// small ones take turns.
	roomTurns = 256
)

// room is memory for what one transaction writes: bbolt wants it to stay as it is until that
// has ended. The next transaction has the same memory. It belongs to whoever commits.
type room struct {
	chunks [][]byte // each of roomChunk
	used   int      // chunks that are full
	most   int      // chunks that were used at once in as many transactions as
	turns  int      // have ended since it was looked at
}

// take is room for n bytes, empty.
func (r *room) take(n int) []byte {
	if n > roomChunk/4 {
		return make([]byte, 0, n)
	}
	if r.used < len(r.chunks) {
		if c := r.chunks[r.used]; cap(c)-len(c) >= n {
			r.chunks[r.used] = c[:len(c)+n]
			return c[len(c) : len(c) : len(c)+n]
		}
		r.used++
	}
	if r.used == len(r.chunks) {
		r.chunks = append(r.chunks, make([]byte, 0, roomChunk))
	}
	r.chunks[r.used] = r.chunks[r.used][:n]
	return r.chunks[r.used][0:0:n]
}

// clear takes all of it back.
func (r *room) clear() {
	r.most = max(r.most, min(r.used+1, len(r.chunks)))
	keep := min(len(r.chunks), roomKept)
	if r.turns++; r.turns == roomTurns {
		keep = min(r.most, keep)
		r.most, r.turns = 0, 0
	}
	clear(r.chunks[keep:])
	r.chunks = r.chunks[:keep]
	for i, c := range r.chunks {
		r.chunks[i] = c[:0]
	}
	r.used = 0
}
