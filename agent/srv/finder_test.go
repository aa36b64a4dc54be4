package srv

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"cassini/agent/srv/srvtest"
	"cassini/tools/testca"
)

const asked = "_cassini._tcp.example.org"

// rig is a name server, an authority, and a finder that trusts both as an agent does.
type rig struct {
	t      *testing.T
	dns    *srvtest.Server
	roots  *x509.CertPool
	ca     *testca.Authority
	finder *Finder
	clock  time.Time
	moves  atomic.Int32
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, dns: srvtest.New(t), roots: x509.NewCertPool(), ca: testca.New(t, testca.Config{}), clock: time.Now()}
	r.roots.AddCert(r.ca.Cert)
	r.finder = New(Config{Domain: "example.org", Resolver: r.dns.Resolver(), Logger: slog.New(slog.DiscardHandler)})
	r.finder.now = func() time.Time { return r.clock }
	r.finder.pick = func(int) int { return 0 }
	r.finder.OnMove(func() { r.moves.Add(1) })
	return r
}

// server is a manager as far as TLS goes.
type server struct {
	port uint16
	down *atomic.Bool // it accepts and hangs up
}

// serve starts one whose certificate is for a name.
func (r *rig) serve(name string) server {
	r.t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{r.ca.Give(&x509.Certificate{DNSNames: []string{name}})}})
	if err != nil {
		r.t.Fatal(err)
	}
	down := new(atomic.Bool)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				if down.Load() {
					return
				}
				_ = conn.(*tls.Conn).Handshake() // the other end tells what is wrong
				_, _ = conn.Read(make([]byte, 1))
			})
		}
	})
	r.t.Cleanup(func() { l.Close(); serving.Wait() })
	return server{uint16(l.Addr().(*net.TCPAddr).Port), down}
}

func (r *rig) dial() (reached string, err error) {
	conn, err := r.finder.Dial(r.t.Context(), func(string) *tls.Config {
		return &tls.Config{RootCAs: r.roots, MinVersion: tls.VersionTLS13}
	})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return fmt.Sprintf("%s:%d", conn.(*tls.Conn).ConnectionState().ServerName, conn.RemoteAddr().(*net.TCPAddr).Port), nil
}

func (r *rig) want(what, reached string, port uint16) {
	r.t.Helper()
	if got, err := r.dial(); err != nil || got != fmt.Sprintf("%s:%d", reached, port) {
		r.t.Fatalf("%s: got %s, %v; want %s:%d", what, got, err, reached, port)
	}
}

func record(host string, port, priority uint16) net.SRV {
	return net.SRV{Target: host + ".", Port: port, Priority: priority}
}

// TestFailOver loses the manager, and has it back.
func TestFailOver(t *testing.T) {
	r := newRig(t)
	one, two := r.serve("m1.example.org"), r.serve("m2.example.org")
	r.dns.Set(asked, record("m2.example.org", two.port, 20), record("m1.example.org", one.port, 10))
	r.want("at first", "m1.example.org", one.port)
	r.want("again", "m1.example.org", one.port)
	if got := r.dns.Asked(asked); got != 1 || r.moves.Load() != 0 {
		t.Errorf("asked %d times, moved %d times", got, r.moves.Load())
	}
	one.down.Store(true)
	r.want("without the first", "m2.example.org", two.port)
	if got := r.dns.Asked(asked); got != 2 || r.moves.Load() != 1 {
		t.Errorf("asked %d times, moved %d times", got, r.moves.Load())
	}
	one.down.Store(false)
	r.want("the first is back, and nobody has looked", "m2.example.org", two.port)
	r.clock = r.clock.Add(refresh)
	r.want("looked again", "m1.example.org", one.port)
	if got := r.dns.Asked(asked); got != 3 || r.moves.Load() != 2 {
		t.Errorf("asked %d times, moved %d times", got, r.moves.Load())
	}
}

// TestMovedPort has the only manager go to another port.
func TestMovedPort(t *testing.T) {
	r := newRig(t)
	before := r.serve("m1.example.org")
	r.dns.Set(asked, record("m1.example.org", before.port, 0))
	r.want("at first", "m1.example.org", before.port)
	before.down.Store(true)
	_, err := r.dial()
	if unreachable, ok := errors.AsType[*UnreachableError](err); !ok || len(unreachable.Errs) != 1 || !strings.Contains(err.Error(), fmt.Sprintf("m1.example.org:%d: ", before.port)) || !strings.Contains(err.Error(), asked) {
		t.Fatalf("got %v", err)
	}
	after := r.serve("m1.example.org")
	r.dns.Set(asked, record("m1.example.org", after.port, 0))
	r.want("moved", "m1.example.org", after.port)
	if r.moves.Load() != 1 {
		t.Errorf("moved %d times", r.moves.Load())
	}
}

// TestEqualsStay has the one in use stay so while it is as good as the others.
func TestEqualsStay(t *testing.T) {
	r := newRig(t)
	one, two := r.serve("m1.example.org"), r.serve("m2.example.org")
	r.dns.Set(asked, record("m1.example.org", one.port, 10), record("m2.example.org", two.port, 10))
	r.finder.pick = func(n int) int { return n - 1 }
	r.want("at first", "m2.example.org", two.port)
	r.finder.pick = func(int) int { return 0 }
	r.clock = r.clock.Add(refresh)
	r.want("the dice say otherwise", "m2.example.org", two.port)
	r.dns.Set(asked, record("m1.example.org", one.port, 10))
	r.clock = r.clock.Add(refresh)
	r.want("no longer named", "m1.example.org", one.port)
}

// TestForged points to others that answer: nobody is believed by the word of DNS.
func TestForged(t *testing.T) {
	r := newRig(t)
	other := newRig(t).serve("m1.example.org") // the right name, of another authority
	wrong := r.serve("other.example.org")      // the right authority, another name
	right := r.serve("m2.example.org")
	r.dns.Set(asked, record("m1.example.org", other.port, 0), record("m1.example.org", wrong.port, 1))
	_, err := r.dial()
	if unreachable, ok := errors.AsType[*UnreachableError](err); !ok || len(unreachable.Errs) != 2 {
		t.Fatalf("got %v", err)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("got %v", err)
	}
	if _, ok := errors.AsType[x509.HostnameError](err); !ok {
		t.Errorf("got %v", err)
	}
	r.dns.Set(asked, record("m1.example.org", other.port, 0), record("m1.example.org", wrong.port, 1), record("m2.example.org", right.port, 2))
	r.want("the next", "m2.example.org", right.port)
}

// TestManyRecords is an answer by TCP of which a few are used.
func TestManyRecords(t *testing.T) {
	r := newRig(t)
	gone := r.serve("gone.example.org")
	gone.down.Store(true)
	var many []net.SRV
	for i := range 400 {
		many = append(many, record(fmt.Sprintf("m%d.example.org", i), gone.port, uint16(i)))
	}
	r.dns.Set(asked, many...)
	_, err := r.dial()
	unreachable, ok := errors.AsType[*UnreachableError](err)
	if !ok || len(unreachable.Errs) != MaxTargets || !strings.Contains(unreachable.Errs[7].Error(), "m7.example.org") {
		t.Fatalf("got %v", err)
	}
}

// TestAnswers says what was asked and what came.
func TestAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(*srvtest.Server)
		want   []string
		is     error
	}{
		"nothing there": {func(*srvtest.Server) {}, []string{"there are no SRV records of " + asked}, nil},
		"not offered":   {func(s *srvtest.Server) { s.Set(asked, net.SRV{Target: "."}) }, []string{"SRV of " + asked}, ErrNotOffered},
		"port 0":        {func(s *srvtest.Server) { s.Set(asked, record("m1.example.org", 0, 1)) }, []string{asked, "1 records"}, ErrNoTarget},
		"server fails":  {func(s *srvtest.Server) { s.Fail(dnsmessage.RCodeServerFailure) }, []string{asked, "server misbehaving"}, nil},
		"garbage":       {func(s *srvtest.Server) { s.Garble([]byte{0x81, 0x80, 0xff, 0xff, 0xff}) }, []string{asked}, nil},
	} {
		r := newRig(t)
		tc.answer(r.dns)
		ctx, cancel := context.WithCancel(t.Context())
		if name == "garbage" { // the resolver waits for a better answer: until we do not
			ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
		}
		_, err := r.finder.Dial(ctx, nil)
		cancel()
		if err == nil || tc.is != nil && !errors.Is(err, tc.is) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		for _, want := range tc.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q in it", name, err, want)
			}
		}
	}
}

// TestNameServerGone keeps what it said.
func TestNameServerGone(t *testing.T) {
	r := newRig(t)
	one, two := r.serve("m1.example.org"), r.serve("m2.example.org")
	r.dns.Set(asked, record("m1.example.org", one.port, 10), record("m2.example.org", two.port, 20))
	r.want("at first", "m1.example.org", one.port)
	r.clock = r.clock.Add(refresh)
	r.dns.Set(asked) // of hosts' addresses it still tells
	r.want("without DNS", "m1.example.org", one.port)
	before := r.dns.Asked(asked)
	r.want("it is not asked each time", "m1.example.org", one.port)
	if got := r.dns.Asked(asked); got != before {
		t.Errorf("asked %d times, before %d", got, before)
	}
	one.down.Store(true)
	r.want("the other that it knew", "m2.example.org", two.port)
}

func TestLocalAddr(t *testing.T) {
	r := newRig(t)
	if _, err := r.finder.LocalAddr(t.Context()); err == nil {
		t.Error("an address toward nothing")
	}
	r.dns.Set(asked, record("not.there.example.net", 1984, 0), record("m1.example.org", 1984, 1))
	if got, err := r.finder.LocalAddr(t.Context()); err != nil || !got.IsLoopback() {
		t.Errorf("got %v, %v", got, err)
	}
}
