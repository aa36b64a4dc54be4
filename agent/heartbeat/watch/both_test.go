package watch

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model/wire"
	"cassini/transport/admit"
)

// rig is a watch on a real socket: the kernel's filters it, user space takes what passes.
type rig struct {
	Watch
	t     *testing.T
	conn  net.Conn
	nonce uint64
}

const patience = 10 * time.Second

// onBoth tries the same with both watches, in real time.
func onBoth(t *testing.T, try func(*rig)) {
	t.Run("user", func(t *testing.T) { onSocket(t, NewUser(), nil, try) })
	t.Run("kernel", func(t *testing.T) {
		k, err := OpenKernel()
		if errors.Is(err, bpf.ErrNotPermitted) || errors.Is(err, bpf.ErrUnsupported) {
			t.Skipf("NOT TRIED: the kernel's watch needs root and Linux 5.15: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		onSocket(t, k, k.Attach, try)
	})
}

func onSocket(t *testing.T, w Watch, attach func(int) error, try func(*rig)) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if attach != nil {
		raw, err := socket.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(raw.Control(func(fd uintptr) { err = attach(int(fd)) }), err); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := net.Dial("udp4", socket.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- w.Run(ctx) }()
	go func() { done <- takeAll(w, socket) }()
	try(&rig{Watch: w, t: t, conn: conn, nonce: 1000})
	stop()
	if err := errors.Join(socket.Close(), conn.Close(), <-done, <-done, w.Close()); err != nil {
		t.Error(err)
	}
}

func takeAll(w Watch, socket *net.UDPConn) error {
	for b := make([]byte, 2000); ; {
		n, err := socket.Read(b)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		w.Take(b[:n])
	}
}

func (r *rig) put(s Set) {
	r.t.Helper()
	s.Keys = []Key{{ID: 1, Tag: key}}
	if err := r.Put(s); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) send(h wire.Header, body ...byte) {
	r.t.Helper()
	h.Key = 1
	if _, err := r.conn.Write(append(wire.AppendHeader(nil, h, key), body...)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) beat() {
	r.t.Helper()
	r.nonce++
	r.send(wire.Header{Type: wire.Heartbeat, Set: 7, Nonce: r.nonce, Incarnation: 4})
}

// count waits until a counter has at least n.
func (r *rig) count(outcome string, n uint64) uint64 {
	r.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		c, err := r.Counters()
		if err != nil {
			r.t.Fatal(err)
		}
		if c[outcome] >= n {
			return c[outcome]
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("want %d %s: %v", n, outcome, c)
		}
	}
}

// event is the next one but for those that tell that this machine stood still, as it may.
func (r *rig) event(want Kind) Event {
	r.t.Helper()
	for {
		select {
		case e := <-r.Events():
			if e.Kind == want {
				return e
			}
			if e.Kind != Late {
				r.t.Fatalf("event is %+v, want kind %d", e, want)
			}
		case <-time.After(patience):
			r.t.Fatalf("no event of kind %d came", want)
			return Event{}
		}
	}
}

// A control datagram that is sent again and again does not keep new ones out.
func TestBothLimitReplays(t *testing.T) {
	onBoth(t, func(r *rig) {
		r.put(Set{ID: 9})
		const n = 300
		for i := range uint64(n) {
			r.send(wire.Header{Type: wire.Probe, Set: 9, Nonce: 5}, 1)
			for c, _ := r.Counters(); c[Control]+c[Limited] <= i; c, _ = r.Counters() {
				time.Sleep(100 * time.Microsecond)
			}
		}
		passed := r.count(Control, 1+admit.Again)
		if r.count(Limited, 1) < n/2 {
			t.Errorf("%d passed", passed)
		}
		for i := range uint64(100) {
			r.send(wire.Header{Type: wire.Probe, Set: 9, Nonce: 100 + i}, 1)
			r.count(Control, passed+i+1)
		}
	})
}

// Silence is told with how long it lasted, and a longer one holds for the window that has begun.
func TestBothTellSilence(t *testing.T) {
	onBoth(t, func(r *rig) {
		const silence = 300 * time.Millisecond
		set := Set{ID: 7, Interval: 100 * time.Millisecond, Silence: silence}
		r.put(set)
		if e := r.event(Expired); e.Silent != 0 {
			t.Errorf("never heard: %+v", e)
		}
		r.beat()
		if e := r.event(Incarnation); e.Silent != 0 || e.Incarnation != 4 {
			t.Errorf("%+v", e)
		}
		r.event(Resumed)
		if e := r.event(Expired); e.Silent < silence || e.Silent > patience {
			t.Errorf("%+v", e)
		}
		if s, err := r.Stats(7); err != nil || s.Silent < silence || s.Expiries != 2 || s.Heartbeats != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		if err := r.Arm(7); err != nil {
			t.Fatal(err)
		}
		set.Silence = 3 * silence
		r.put(set)
		if e := r.event(Expired); e.Silent < 4*silence {
			t.Errorf("the longer silence does not hold: %+v", e)
		}
	})
}
