package guests

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cassini/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// door is a place where connections come from made-up addresses.
type door struct {
	*Guests
	t   *testing.T
	at  time.Time
	log bytes.Buffer
}

func newDoor(t *testing.T, each, all int) *door {
	d := &door{t: t, at: time.Unix(1e9, 0)}
	d.Guests = New(slog.New(slog.NewTextHandler(&d.log, nil)))
	d.maxEach, d.maxAll, d.now = each, all, func() time.Time { return d.at }
	return d
}

// far is the other end of a connection.
type far struct {
	net.Conn
	from   string
	closed bool
}

func (f *far) Close() error {
	f.closed = true
	return nil
}

func (f *far) RemoteAddr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", f.from)
	if err != nil {
		panic(err)
	}
	return a
}

// comes is a connection from an address.
func (d *door) comes(from string) (*far, net.Conn) {
	f := &far{from: from}
	c, ok := d.enter(f)
	if !ok {
		return f, nil
	}
	return f, c
}

// TestBoundOfAnAddress opens more connections from one place than it may have.
func TestBoundOfAnAddress(t *testing.T) {
	d := newDoor(t, 2, 10)
	first, _ := d.comes("[2001:db8::1]:1")
	d.comes("[2001:db8::2]:1") // the same network
	if _, c := d.comes("[2001:db8::3]:1"); c != nil {
		t.Error("the third was let in before the first had its chance")
	}
	if _, c := d.comes("10.0.0.1:1"); c == nil {
		t.Error("another's was turned away")
	}
	d.at = d.at.Add(chance)
	if _, c := d.comes("[2001:db8::4]:1"); c == nil || !first.closed {
		t.Errorf("in: %v, the oldest closed: %v", c != nil, first.closed)
	}
	if got := d.Stats(); got != (model.GuestStats{Open: 3, Closed: 1, TurnedAway: 1}) {
		t.Errorf("got %+v", got)
	}
	if got := d.log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "2001:db8::/64") {
		t.Errorf("logged %q", got)
	}
}

// TestBoundOfAll opens connections from many places.
func TestBoundOfAll(t *testing.T) {
	d := newDoor(t, 10, 2)
	first, c := d.comes("10.0.0.1:1")
	d.comes("10.0.0.2:1")
	if _, c := d.comes("10.0.0.3:1"); c != nil {
		t.Error("let in")
	}
	Known(Context(t.Context(), c)) // it is no guest's any more
	third, _ := d.comes("10.0.0.3:1")
	d.at = d.at.Add(chance)
	for range 2 {
		if _, c := d.comes("10.0.0.4:1"); c == nil {
			t.Error("turned away")
		}
	}
	if first.closed || !third.closed {
		t.Errorf("closed: one that is known %v, a guest's %v", first.closed, third.closed)
	}
	if err := c.Close(); err != nil || d.Stats().Open != 2 {
		t.Errorf("%v, %+v", err, d.Stats())
	}
}

// TestContextOfOthers is of connections that are not bounded.
func TestContextOfOthers(t *testing.T) {
	if ctx := Context(t.Context(), &far{}); ctx != t.Context() {
		t.Error("another context")
	}
	Known(context.Background())
}

// TestListen accepts past those that are turned away.
func TestListen(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor(t, 1, 1)
	l := d.Listen(inner)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	dial()
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	if n, err := dial().Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("it was told something")
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	dial()
	c := <-accepted
	if got := d.Stats(); got.Open != 1 || got.TurnedAway != 1 {
		t.Errorf("got %+v", got)
	}
	_ = c.Close()
	_ = inner.Close()
	d.at = d.at.Add(tellAgain)
	if _, err := l.Accept(); err == nil || strings.Contains(d.log.String(), "could not be accepted") {
		t.Errorf("%v, logged %q: the server has ended", err, &d.log)
	}
}
