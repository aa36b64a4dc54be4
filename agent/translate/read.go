package translate

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"cassini/agent/netns"
	"cassini/agent/pace"
	"cassini/agent/translate/conntrack"
)

// readAtOnce is how many flows are read in a second. What is beyond waits in the socket's
// buffer, and what finds no room there is lost: where more connections than this are
// translated, each pair is known soon all the same, but counts are too low.
const readAtOnce = 8192

// restShare is how much longer than a reading of the table the pause behind it lasts.
const restShare = 9

// overlap is how long behind a reading of the table the kernel may still tell of flows that
// were in it: they are told of a moment after they are there.
const overlap = time.Second

// found are flows that were counted as they were found in the table.
type found struct {
	ids   map[uint32]struct{}
	until time.Time // when the kernel has told of all of them
}

// others are the flows that were not. Messages may wait for long before they are read: read says
// whether all that came have been.
func (f *found) others(flows []conntrack.Tracked, now time.Time, read func() bool) []conntrack.Tracked {
	if f.ids == nil {
		return flows
	}
	flows = slices.DeleteFunc(flows, func(flow conntrack.Tracked) bool {
		_, counted := f.ids[flow.ID]
		return counted
	})
	if now.After(f.until) && read() {
		f.ids = nil
	}
	return flows
}

// read hears one namespace until its socket is closed.
func (t *Translate) read(ctx context.Context, netns string, socket Socket) {
	counted, rested := t.reread(netns, socket)
	ration := pace.Ration{Most: readAtOnce}
	for {
		flows, malformed, err := socket.Read()
		switch {
		case errors.Is(err, os.ErrClosed) || ctx.Err() != nil:
			return
		case errors.Is(err, conntrack.ErrOverrun):
			t.overrun()
			if !pace.Until(ctx, rested) {
				return
			}
			socket.Drain()
			counted, rested = t.reread(netns, socket)
			continue
		case err != nil:
			t.cfg.Logger.Warn("translated connections are no longer told of", "namespace", netns, "error", err)
			return
		}
		read := len(flows)
		t.heard(netns, counted.others(flows, time.Now(), socket.Empty), malformed)
		if !ration.Take(ctx, read) {
			return
		}
	}
}

// reread takes what is there and returns when that may be done again.
func (t *Translate) reread(in string, socket Socket) (counted found, again time.Time) {
	began := time.Now()
	table, err := socket.Dump(limit)
	if err != nil {
		t.cfg.Logger.Log(context.Background(), netns.Level(err), "translated connections that were there already are not told of", "namespace", in, "error", err)
		return found{}, began.Add(time.Second)
	}
	ended := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.table.found(in, table.Counts, ended)
	t.table.forgotten += table.Left
	for _, e := range t.table.moved() {
		if !e.sent {
			t.tell(e, ended)
		}
	}
	return found{table.IDs, ended.Add(overlap)}, ended.Add(restShare * ended.Sub(began))
}

func (t *Translate) overrun() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.overruns++
}
