package rings

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestCrash(t *testing.T) {
	r := newRig(t, 1, 6)
	r.crash("s1-h3")
	took := r.waitStates(15*time.Second, map[string]string{"s1-h3": "crashed"})
	t.Logf("known to the manager after %v", took)
	r.wait("the ring is mended", 10*time.Second, func() error { return r.whole(5) })
	if err := r.estate.MendLink("s1-h3"); err != nil {
		t.Fatal(err)
	}
	r.startAgent("s1-h3")
	r.wait("it is back", 20*time.Second, func() error { return r.whole(6) })
	r.waitStates(time.Second, map[string]string{})
}

// TestStopAndKill does on one estate what ends an agent or keeps it from running.
func TestStopAndKill(t *testing.T) {
	r := newRig(t, 1, 5)
	r.signal("s1-h2", unix.SIGTERM)
	t.Logf("stopped: known after %v", r.waitStates(3*time.Second, map[string]string{"s1-h2": "stopped"}))
	r.startAgent("s1-h2")
	r.wait("it is back", 20*time.Second, func() error { return r.whole(5) })

	r.signal("s1-h2", unix.SIGKILL)
	t.Logf("killed: known after %v", r.waitStates(10*time.Second, map[string]string{"s1-h2": "ended"}))
	r.startAgent("s1-h2")
	r.wait("it is back", 20*time.Second, func() error { return r.whole(5) })

	r.signal("s1-h2", unix.SIGSTOP)
	t.Logf("frozen: known after %v", r.waitStates(10*time.Second, map[string]string{"s1-h2": "hung"}))
	time.Sleep(8 * time.Second)
	r.signal("s1-h2", unix.SIGCONT)
	r.waitStates(10*time.Second, map[string]string{})
}
