package translate

import (
	"context"
	"errors"
	"os"
	"time"

	"cassini/agent/netns"
	"cassini/agent/translate/conntrack"
)

// readAtOnce is how many flows are read in a second. What is beyond waits in the socket's
// buffer, and what finds no room there is lost: where more connections than this are
// translated, each pair is known soon all the same, but counts are too low.
const readAtOnce = 8192

// restShare is how much longer than a reading of the table the pause behind it lasts.
const restShare = 9

// read hears one namespace until its socket is closed.
func (t *Translate) read(ctx context.Context, netns string, socket Socket) {
	rested := t.reread(netns, socket)
	began, taken := time.Now(), 0
	for {
		flows, malformed, err := socket.Read()
		switch {
		case errors.Is(err, os.ErrClosed) || ctx.Err() != nil:
			return
		case errors.Is(err, conntrack.ErrOverrun):
			t.overrun()
			if !pause(ctx, rested) {
				return
			}
			rested = t.reread(netns, socket)
			continue
		case err != nil:
			t.cfg.Logger.Warn("translated connections are no longer told of", "namespace", netns, "error", err)
			return
		}
		t.heard(netns, flows, malformed)
		if taken += len(flows); taken < readAtOnce {
			continue
		}
		if !pause(ctx, began.Add(time.Second)) {
			return
		}
		began, taken = time.Now(), 0
	}
}

// reread takes what is there and returns when that may be done again.
func (t *Translate) reread(in string, socket Socket) time.Time {
	began := time.Now()
	flows, err := socket.Dump()
	if err != nil {
		t.cfg.Logger.Log(context.Background(), netns.Level(err), "translated connections that were there already are not told of", "namespace", in, "error", err)
		return began.Add(time.Second)
	}
	ended := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.table.found(in, flows, ended)
	for _, e := range t.table.moved() {
		if !e.sent {
			t.tell(e, ended)
		}
	}
	return ended.Add(restShare * ended.Sub(began))
}

func (t *Translate) overrun() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.overruns++
}

// pause waits until a moment; false when the context ends before.
func pause(ctx context.Context, until time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Until(until)):
		return true
	}
}
