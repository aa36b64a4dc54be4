package capture

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// Of processes that share a port the one is looked at later that is named, whichever is told first.
func TestLooksAtWhoIsNamed(t *testing.T) {
	older, newer := began(bpf.ProtoUDP, 53, 0, 2*freshFor), began(bpf.ProtoUDP, 53, 0, freshFor)
	newer.Owner.Tgid++
	for name, order := range map[string][]*bpf.Listener{"the older first": {older, newer}, "the newer first": {newer, older}} {
		c := (&freshKernel{}).capture(func(model.Listener) {})
		c.mu.Lock()
		for i, l := range order {
			c.listenerStarted(uint64(i), l, bpf.Image{Exe: "/usr/bin/resolver"}, now())
		}
		for l, b := range c.users.due {
			if l.PID != int(newer.Owner.Tgid) || b.owner != newer.Owner {
				t.Errorf("%s: process %d is named, %d is looked at", name, l.PID, b.owner.Tgid)
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

// A daemon that takes its time until it leaves its socket to another is looked at again, but not for ever.
func TestLooksAtDaemonsThatTakeTheirTime(t *testing.T) {
	me := self(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		leaves   time.Duration
		to       bpf.Owner
		searched int
	}{
		{0, gone, 1},
		{becomesAfter, gone, 1},
		{7 * becomesAfter, gone, 1},
		{becomesWithin * becomesAfter, gone, 0},
		{becomesAfter, bpf.Owner{}, 3}, // nobody is found who has it
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &holders{owner: me, found: test.to}
			c, _, _, _ := handed(h, 0, "")
			c.mu.Lock()
			c.listeners = newListeners()
			c.listenerStarted(7, &bpf.Listener{Owner: me, Port: 80, Proto: bpf.ProtoTCP, StartedNs: 1}, bpf.Image{Exe: exe}, now())
			c.mu.Unlock()
			time.Sleep(test.leaves)
			synctest.Wait()
			c.mu.Lock()
			c.listeners.byCookie[7].Exe = "/usr/bin/before" // which it runs no more
			c.mu.Unlock()
			time.Sleep(time.Hour)
			synctest.Wait()
			c.mu.Lock()
			if h.asked != test.searched || len(c.users.due) != 0 {
				t.Errorf("leaves after %v: searched %d times, %d are due", test.leaves, h.asked, len(c.users.due))
			}
			c.mu.Unlock()
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
