package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/metrics"
	"time"

	"cassini/manager/rings/keeper"
	"cassini/manager/store/bolt"
	"cassini/tools/bench"
)

// memory is what this process has in memory, in bytes.
type memory struct {
	Own  int64 // that nobody else has: the heap, stacks, the runtime (RssAnon of proc(5))
	File int64 // pages of files, which the kernel takes back when it needs them
	Live int64 // of the heap, what the last collection found in use
}

func ownMemory() (m memory, err error) {
	use, err := bench.Memory(os.Getpid())
	if err != nil {
		return m, err
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return memory{Own: use.Own, File: use.Resident - use.Own, Live: int64(live[0].Value.Uint64())}, nil
}

// errMemory says that a run would have taken more memory than it may.
var errMemory = errors.New("the limit of memory is reached")

// watchMemory ends a run that takes too much of its own, and gives the most that it took.
func watchMemory(ctx context.Context, limit int64, end context.CancelCauseFunc) (most memory) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		m, err := ownMemory()
		if err != nil {
			end(err)
			return most
		}
		most.Own, most.File, most.Live = max(most.Own, m.Own), max(most.File, m.File), max(most.Live, m.Live)
		if m.Own > limit {
			end(errMemory)
		}
		select {
		case <-ctx.Done():
			return most
		case <-tick.C:
		}
	}
}

// files are how large the document log and the file of rings are, in bytes.
func files(dir string) (log, rings int64, err error) {
	for name, size := range map[string]*int64{bolt.FileName: &log, keeper.FileName: &rings} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return 0, 0, fmt.Errorf("measure the data directory: %w", err)
		}
		*size = info.Size()
	}
	return log, rings, nil
}
