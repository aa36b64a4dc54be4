package capture

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// holders is a kernel with one listener, which can be found to be another process's.
type holders struct {
	Kernel
	owner, found bpf.Owner
	err          error
	asked        int
}

func (h *holders) Listeners(fn func(uint64, *bpf.Listener)) error {
	fn(7, &bpf.Listener{Owner: h.owner, Port: 80, Proto: 6})
	return nil
}

func (h *holders) Holders(_ context.Context, cookies []uint64, _ func(func() error) error) error {
	if h.asked++; len(cookies) != 1 || cookies[0] != 7 {
		return errors.New("asked for others")
	}
	if h.err == nil && h.found.Tgid != 0 {
		h.owner = h.found
	}
	return h.err
}

func (h *holders) Close() error { return nil }

// self is this process as the kernel tells it.
func self(t *testing.T) bpf.Owner {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	ticks, err := strconv.ParseUint(string(fields[19]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return bpf.Owner{Kind: bpf.OwnerProcess, Tgid: uint32(os.Getpid()), StartNs: ticks * 1e7}
}

// gone is a process that is not there: no pid is so high (PID_MAX_LIMIT in linux/threads.h).
var gone = bpf.Owner{Kind: bpf.OwnerProcess, Tgid: 1 << 22, StartNs: 1e9}

// handed is a capture of one listener.
func handed(h *holders, pid int, exe string) (c *Capture, connect func(), told *[]model.Listener, log *bytes.Buffer) {
	told, log = new([]model.Listener), new(bytes.Buffer)
	c = New(Config{Kernel: h, Logger: slog.New(slog.NewTextHandler(log, nil)), Emit: func(docs ...model.Document) {
		for _, doc := range docs {
			var l model.Listener
			if doc.Decode(&l) == nil {
				*told = append(*told, l)
			}
		}
	}})
	c.published = true
	c.listeners.started(7, 0, model.Listener{Proto: "tcp", Addr: netip.IPv4Unspecified(), Port: 80, Process: model.Process{PID: pid, Exe: exe}})
	connect = func() {
		c.mu.Lock()
		c.connected(&dependency{facts: make(images).facts(&model.Dependency{Direction: model.In, Proto: "tcp", Server: netip.MustParseAddr("10.0.0.1"), Port: 80})})
		c.mu.Unlock()
	}
	return c, connect, told, log
}

// A listener whose process has gone is searched for a second after a connection, and then
// known to be the other's.
func TestHandedOver(t *testing.T) {
	me := self(t)
	synctest.Test(t, func(t *testing.T) {
		h := &holders{owner: gone, found: me}
		c, connect, told, log := handed(h, int(gone.Tgid), "/usr/bin/passer")
		connect()
		connect()
		time.Sleep(lookAfter - 1)
		synctest.Wait()
		c.mu.Lock()
		if h.asked != 0 {
			t.Error("searched at once")
		}
		c.mu.Unlock()
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		c.mu.Lock()
		if h.asked != 1 || len(*told) != 1 || (*told)[0].PID != os.Getpid() || c.events["handover"] != 1 {
			t.Fatalf("asked %d times, told %+v, %s", h.asked, *told, log)
		}
		c.mu.Unlock()
		connect()
		time.Sleep(time.Hour)
		synctest.Wait()
		c.mu.Lock()
		if h.asked != 1 {
			t.Error("searched again although its process is there")
		}
		c.mu.Unlock()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What is its process's is looked at once, and what has another kind of address never.
func TestNotHandedOver(t *testing.T) {
	me := self(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		h := &holders{owner: me}
		c, connect, told, _ := handed(h, os.Getpid(), exe)
		connect()
		time.Sleep(time.Minute)
		synctest.Wait()
		c.mu.Lock()
		if h.asked != 0 || len(*told) != 0 || !c.listeners.byCookie[7].proven {
			t.Errorf("asked %d times, told %+v", h.asked, *told)
		}
		c.mu.Unlock()
	})
	if got := newListeners().at(&model.Dependency{Proto: "tcp", Server: netip.MustParseAddr("::1"), Port: 81}); got != nil {
		t.Errorf("found %v", got)
	}
}

// What nobody is found to hold is searched for again, later each time.
func TestSearchedInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &holders{owner: gone}
		c, connect, told, _ := handed(h, int(gone.Tgid), "/usr/bin/passer")
		for range 12 * 60 * 60 / 10 {
			connect()
			time.Sleep(10 * time.Second)
		}
		// After 1, 2, 4, 8, 16 and 32 minutes, and then each hour.
		synctest.Wait()
		c.mu.Lock()
		if h.asked < 15 || h.asked > 18 || len(*told) != 0 {
			t.Errorf("searched %d times in twelve hours, told %+v", h.asked, *told)
		}
		c.mu.Unlock()
	})
}

// A search that fails is told, and a capture that has ended does not search.
func TestSearchFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &holders{owner: gone, err: errors.New("no room")}
		c, connect, _, log := handed(h, int(gone.Tgid), "/usr/bin/passer")
		connect()
		time.Sleep(lookAfter)
		synctest.Wait()
		c.mu.Lock()
		if !bytes.Contains(log.Bytes(), []byte("no room")) {
			t.Errorf("logged %s", log)
		}
		c.mu.Unlock()
		connect()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		c.mu.Lock()
		if h.asked != 1 {
			t.Errorf("searched %d times", h.asked)
		}
		c.mu.Unlock()
	})
}

// The listener of a process that has gone is due without a connection, as somebody asks.
func TestOrphans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &holders{owner: gone}
		c, _, _, _ := handed(h, int(gone.Tgid), "/usr/bin/passer")
		c.listeners.byCookie[7].proven = true
		c.mu.Lock()
		c.lookAtOrphans()
		c.mu.Unlock()
		time.Sleep(lookAfter)
		synctest.Wait()
		c.mu.Lock()
		if h.asked != 1 {
			t.Errorf("searched %d times", h.asked)
		}
		c.mu.Unlock()
	})
}
