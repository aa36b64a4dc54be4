package keeper

import (
	"context"
	"time"

	"cassini/manager/archive"
)

// Snapshot begins to read the file as it is at this moment.
func (k *Keeper) Snapshot() (p archive.Part, err error) {
	err = k.disk.guard("read", func() error {
		p, err = archive.Database(FileName, k.disk.db)
		return err
	})
	return p, err
}

// Alive returns once the loop has answered.
func (k *Keeper) Alive(ctx context.Context) error {
	_, err := ask(ctx, k, func(time.Time) (struct{}, error) { return struct{}{}, nil })
	return err
}
