package frames

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"cassini/agent/frames/socket"
	"cassini/agent/netns"
	"cassini/bpf"
)

// ear is a socket in a namespace and what came in by it.
type ear struct {
	*socket.Socket
	t      *testing.T
	ns     string
	filter *bpf.Frames

	mu    sync.Mutex
	heard []socket.Frame
}

// listen reads a namespace's socket until the test ends.
func listen(t *testing.T, ns string) *ear {
	t.Helper()
	filter, err := bpf.OpenFrames()
	if err != nil {
		t.Fatalf("%+v", err)
	}
	e := &ear{t: t, ns: ns, filter: filter}
	within(t, ns, func(enter func(func() error) error) (err error) {
		e.Socket, err = socket.Open(filter, enter)
		return err
	})
	var reads sync.WaitGroup
	reads.Go(func() {
		for {
			f, err := e.Read()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			e.mu.Lock()
			e.heard = append(e.heard, f)
			e.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		reads.Wait()
	})
	return e
}

// within calls a function with the way into a namespace.
func within(t testing.TB, ns string, fn func(enter func(func() error) error) error) {
	t.Helper()
	spaces, err := netns.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spaces {
		if s.Name == ns {
			if err := fn(s.Do); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("no namespace %s", ns)
}

// index is that of an interface in the ear's namespace.
func (e *ear) index(name string) int {
	e.t.Helper()
	out, err := exec.Command("ip", "netns", "exec", e.ns, "cat", "/sys/class/net/"+name+"/ifindex").Output()
	if err != nil {
		e.t.Fatal(err)
	}
	i, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		e.t.Fatal(err)
	}
	return i
}

func (e *ear) join(name string, bridged bool) int {
	e.t.Helper()
	i := e.index(name)
	if err := e.Join(i, bridged); err != nil {
		e.t.Fatal(err)
	}
	return i
}

// by are the interfaces by which frames with a text came in.
func (e *ear) by(text string) (indexes []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.heard {
		if strings.Contains(string(f.Data), text) {
			indexes = append(indexes, f.IfIndex)
		}
	}
	return indexes
}

func lldpWith(text string) []byte { return lldp("aa:bb:cc:00:00:01", text, 120) }

// An index means another interface in each network namespace: whoever owns one, and
// floods it, must not take the allowance of the same index elsewhere.
func TestFloodStaysInItsNamespace(t *testing.T) {
	sw, host, container := machine(t, "sw"), machine(t, "host"), machine(t, "container")
	for port, ns := range map[string]string{"p1": host, "p2": container} {
		ip(t, fmt.Sprintf("-n %s link add %s type veth peer name eth0 netns %s index 77", sw, port, ns))
		ip(t, fmt.Sprintf("-n %s link set eth0 up", ns))
		ip(t, fmt.Sprintf("-n %s link set %s up", sw, port))
	}
	ours, theirs := listen(t, host), listen(t, container)
	if a, b := ours.join("eth0", false), theirs.join("eth0", false); a != b {
		t.Fatalf("indexes %d and %d", a, b)
	}
	flood := make([][]byte, 1000)
	for i := range flood {
		flood[i] = lldpWith("flood")
	}
	send(t, sw, "p2", flood...)
	if c := counters(t, theirs.filter); c.Limited < 800 {
		t.Fatalf("no flood: %+v", c)
	}
	send(t, sw, "p1", lldpWith("switch"))
	eventually(t, "the switch beside a flood in another namespace", func() bool { return len(ours.by("switch")) == 1 })
}
