package model

import "context"

// Sink is where an agent's documents go: the manager, in this process or behind
// HTTP. Implementations are safe for concurrent use.
type Sink interface {
	// Deliver returns once all documents are durable, or an error: then all of them
	// are, or none. Documents at positions that came before are taken for what they are,
	// and count once. ErrInvalidDocument says that sending the same again is pointless, a
	// BusyError when to try again.
	Deliver(ctx context.Context, b Batch) (Receipt, error)
	// Hashes returns what the documents hash to that Latest would return and that are
	// Compared.
	Hashes(ctx context.Context, host string) ([]DocumentHash, error)
	// Latest returns the newest document of every name of a host that is not
	// Gone: what the manager believes of it.
	Latest(ctx context.Context, host string) ([]Document, error)
}

// Refresher brings an agent's counters up to date on demand: it reads the
// kernel's maps once, sends the documents that moved and returns when they are
// durable.
type Refresher interface {
	Refresh(ctx context.Context) error
}
