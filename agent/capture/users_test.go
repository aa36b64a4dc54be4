package capture

import (
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// Of processes that share a port the one is looked at later that is named, whichever is told first.
func TestLooksAtWhoIsNamed(t *testing.T) {
	older, newer := began(bpf.ProtoUDP, 53, 0, time.Hour), began(bpf.ProtoUDP, 53, 0, time.Minute)
	newer.Owner.Tgid++
	for name, order := range map[string][]*bpf.Listener{"the older first": {older, newer}, "the newer first": {newer, older}} {
		c := (&freshKernel{}).capture(func(model.Listener) {})
		c.mu.Lock()
		for i, l := range order {
			c.listenerStarted(uint64(i), l, bpf.Image{Exe: "/usr/bin/resolver"}, now())
		}
		for l, owner := range c.users.due {
			if l.PID != int(newer.Owner.Tgid) || owner != newer.Owner {
				t.Errorf("%s: process %d is named, %d is looked at", name, l.PID, owner.Tgid)
			}
		}
		if len(c.users.due) != 1 {
			t.Errorf("%s: %d are due", name, len(c.users.due))
		}
		c.mu.Unlock()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
