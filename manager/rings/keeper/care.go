package keeper

import (
	"context"
	"time"

	"cassini/manager/archive"
)

// Snapshot begins to read the file as it is at this moment.
func (k *Keeper) Snapshot() (archive.Part, error) { return k.disk.Snapshot() }

// Alive returns once the loop has answered.
func (k *Keeper) Alive(ctx context.Context) error {
	_, err := ask(ctx, k, func(time.Time) (struct{}, error) { return struct{}{}, nil })
	return err
}
