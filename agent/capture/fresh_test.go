package capture

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// freshKernel is a kernel with sockets that serve, as it seems.
type freshKernel struct {
	Kernel
	list map[uint64]*bpf.Listener
	err  error
}

func (s *freshKernel) Listeners(fn func(uint64, *bpf.Listener)) error {
	if s.err != nil {
		return s.err
	}
	for cookie, l := range s.list {
		fn(cookie, l)
	}
	return nil
}

func (s *freshKernel) Close() error { return nil }

// lately is when a socket began that is too fresh, however slow this machine is.
const lately = -time.Hour

// began is a socket that is there for so long, on a port of its own.
func began(proto uint8, port uint16, asks uint8, ago time.Duration) *bpf.Listener {
	return &bpf.Listener{Proto: proto, Port: port, Asks: asks, StartedNs: now().MonoNs - uint64(ago), Owner: gone}
}

// now is what the kernel's clocks show.
func now() bpf.Clock {
	clock, err := bpf.ReadClock()
	if err != nil {
		panic(err)
	}
	return clock
}

// capture tells what it tells of listeners.
func (s *freshKernel) capture(tell func(model.Listener)) *Capture {
	c := New(Config{Kernel: s, Logger: slog.New(slog.DiscardHandler), Emit: func(docs ...model.Document) {
		for _, doc := range docs {
			var l model.Listener
			if doc.Decode(&l) == nil {
				tell(l)
			}
		}
	}})
	c.published = true
	return c
}

// What serves UDP is told once it is there for a while, and later where it only asks.
func TestFreshSockets(t *testing.T) {
	kernel := &freshKernel{list: map[uint64]*bpf.Listener{
		1: began(bpf.ProtoTCP, 1, 0, 0),
		2: began(bpf.ProtoUDP, 2, 0, lately),
		3: began(bpf.ProtoUDP, 3, 0, freshFor),
		4: began(bpf.ProtoUDP, 4, 1, askingFor/2),
		5: began(bpf.ProtoUDP, 5, 1, askingFor),
		6: {Proto: bpf.ProtoUDP, Port: 6, Asks: 1, Owner: gone}, // older than the agent
	}}
	told := map[uint16]model.Listener{}
	c := kernel.capture(func(l model.Listener) { told[l.Port] = l })
	for cookie, l := range kernel.list {
		c.mu.Lock()
		c.listenerStarted(cookie, l, bpf.Image{Exe: "/usr/bin/resolver"}, now())
		c.mu.Unlock()
	}
	for _, step := range []struct {
		name string
		do   func()
		want []uint16
	}{
		{"at once", func() {}, []uint16{1, 3, 5, 6}},
		{"one became old enough, one was asked", func() {
			kernel.list[2] = began(bpf.ProtoUDP, 2, 0, freshFor)
			kernel.list[4].Asks = 0
			kernel.list[7] = began(bpf.ProtoTCP, 7, 0, 0) // whose event comes in a moment, with more than /proc has
		}, []uint16{1, 2, 3, 4, 5, 6}},
	} {
		c.mu.Lock()
		step.do()
		c.mu.Unlock()
		c.tellFresh()
		c.mu.Lock()
		if len(told) != len(step.want) {
			t.Errorf("%s: told %v, want %v", step.name, told, step.want)
		}
		for _, port := range step.want {
			if told[port].Exe != "/usr/bin/resolver" {
				t.Errorf("%s: port %d is told as %+v", step.name, port, told[port])
			}
		}
		c.mu.Unlock()
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if len(c.fresh.images) != 0 {
		t.Errorf("%d processes are remembered", len(c.fresh.images))
	}
}

// A socket that ends before it is told was no service; of others meanwhile no more is remembered than there is room for.
func TestFreshSocketsEnd(t *testing.T) {
	c := New(Config{Kernel: &freshKernel{}, Logger: slog.New(slog.DiscardHandler), Emit: func(docs ...model.Document) { t.Errorf("told %v", docs) }})
	c.published = true
	c.mu.Lock()
	for cookie := range uint64(2 * imagesHeld) {
		c.listenerStarted(cookie, began(bpf.ProtoUDP, 1, 0, lately), bpf.Image{Exe: "/usr/bin/resolver"}, now())
	}
	if n := len(c.fresh.images); n != imagesHeld {
		t.Errorf("%d processes are remembered, want %d", n, imagesHeld)
	}
	for cookie := range uint64(2 * imagesHeld) {
		c.listenerEnded(cookie, now())
	}
	c.mu.Unlock()
	c.tellFresh()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if len(c.fresh.images) != 0 {
		t.Errorf("%d processes are remembered", len(c.fresh.images))
	}
}

// A server that is loaded anew binds another socket to the port before it ends the one of before: its service goes on.
func TestFreshSocketTakesOver(t *testing.T) {
	kernel := &freshKernel{list: map[uint64]*bpf.Listener{1: began(bpf.ProtoUDP, 443, 0, freshFor)}}
	var told []model.Listener
	c := kernel.capture(func(l model.Listener) { told = append(told, l) })
	c.mu.Lock()
	start := func(cookie uint64, exe string) {
		c.listenerStarted(cookie, kernel.list[cookie], bpf.Image{Exe: exe}, now())
	}
	end := func(cookie uint64) {
		delete(kernel.list, cookie)
		c.listenerEnded(cookie, now())
	}
	start(1, "/usr/bin/before")
	for cookie, port := range map[uint64]uint16{2: 443, 3: 444} {
		kernel.list[cookie] = began(bpf.ProtoUDP, port, 0, lately)
		kernel.list[cookie].Owner.Tgid++
		start(cookie, "/usr/bin/now")
	}
	end(1)
	for i, l := range told {
		if l.State != model.StateListening || l.Port != 443 {
			t.Errorf("told %d: %+v", i, l)
		}
	}
	if last := told[len(told)-1]; last.Sockets != 1 || last.Exe != "/usr/bin/now" {
		t.Errorf("it goes on as %+v", last)
	}
	end(2)
	if last := told[len(told)-1]; last.State != model.StateEnded {
		t.Errorf("it ended as %+v", last)
	}
	c.mu.Unlock()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// Where the kernel cannot be asked, it is asked again.
func TestFreshSocketsAreAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kernel := &freshKernel{list: map[uint64]*bpf.Listener{}, err: errors.New("no room")}
		told := 0
		c := kernel.capture(func(model.Listener) { told++ })
		c.mu.Lock()
		c.listenerStarted(1, began(bpf.ProtoUDP, 53, 0, lately), bpf.Image{Exe: "/usr/bin/resolver"}, now())
		kernel.list[1] = began(bpf.ProtoUDP, 53, 0, freshFor)
		c.mu.Unlock()
		time.Sleep(freshFor)
		synctest.Wait()
		c.mu.Lock()
		kernel.err = nil
		c.mu.Unlock()
		time.Sleep(freshFor)
		synctest.Wait()
		c.mu.Lock()
		if told != 1 {
			t.Errorf("told %d times", told)
		}
		c.mu.Unlock()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
