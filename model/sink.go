package model

import "context"

// Sink is where an agent's documents go: the manager, in this process or behind
// HTTP. Implementations are safe for concurrent use.
type Sink interface {
	// Accept returns once all documents are durable, or an error and then none
	// or some of them are. ErrInvalidDocument says that sending the same again
	// is pointless.
	Accept(ctx context.Context, docs []Document) error
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
