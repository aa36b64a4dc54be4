package dashboards

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"cassini/model"
)

// whole waits until all rings are, with so many members.
func (r *rig) whole(members int) {
	r.t.Helper()
	r.wait("rings are whole", patience, func() error {
		var rings []model.RingHealth
		if err := r.get(r.url(managerPort, "/api/v1/rings"), &rings); err != nil {
			return err
		}
		n := 0
		for _, ring := range rings {
			if ring.State != model.RingWhole {
				return fmt.Errorf("%s is %s", ring.ID, ring.State)
			}
			if ring.Level == 0 {
				n += len(ring.Members)
			}
		}
		if n < members {
			return fmt.Errorf("%d members, want %d", n, members)
		}
		return nil
	})
}

// state waits until a host is said to be in one.
func (r *rig) state(host, state string) {
	r.t.Helper()
	r.wait(host+" is "+state, patience, func() error {
		var hosts []model.HostLiveness
		if err := r.get(r.url(managerPort, "/api/v1/liveness"), &hosts); err != nil {
			return err
		}
		for _, h := range hosts {
			if h.Host == host && h.State == state {
				return nil
			}
		}
		return fmt.Errorf("%v", hosts)
	})
}

// deaths kills an agent, which comes back, and crashes a host, which does not.
func (r *rig) deaths() {
	r.t.Helper()
	r.kill("s1-h2")
	r.state("s1-h2", "ended")
	r.startAgent("s1-h2")
	r.state("s1-h2", "up")
	if err := r.estate.CutLink("s2-h3"); err != nil {
		r.t.Fatal(err)
	}
	r.kill("s2-h3")
	r.state("s2-h3", "crashed")
}

// traffic makes connections on the manager's host, some of which are refused, until the
// context ends.
func (r *rig) traffic(ctx context.Context) *sync.WaitGroup {
	var group sync.WaitGroup
	var l net.Listener
	if err := r.estate.Do(managerHost, func() (err error) {
		l, err = net.Listen("tcp", "127.0.0.1:8088")
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	group.Go(func() {
		defer stop()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "hello\n")
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	})
	group.Go(func() {
		for ctx.Err() == nil {
			r.talk(ctx, "127.0.0.1:8088")
			r.talk(ctx, "127.0.0.1:8089") // nobody listens
			time.Sleep(200 * time.Millisecond)
		}
	})
	return &group
}

func (r *rig) talk(ctx context.Context, to string) {
	conn, err := r.dial(ctx, "tcp", to)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = conn.Write([]byte("question"))
	_, _ = conn.Read(make([]byte, 16))
}

// discovery is a switch at the end of a cable of the manager's host that says so by LLDP.
func (r *rig) discovery(ctx context.Context) *sync.WaitGroup {
	r.t.Helper()
	for _, args := range [][]string{
		{"ip", "link", "add", "lldp0", "type", "veth", "peer", "name", "lldp1"}, {"ip", "link", "set", "lldp0", "up"}, {"ip", "link", "set", "lldp1", "up"},
	} {
		if out, err := r.estate.Command(ctx, managerHost, args...).CombinedOutput(); err != nil {
			r.t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	var fd int
	var to *unix.SockaddrLinklayer
	if err := r.estate.Do(managerHost, func() (err error) {
		i, err := net.InterfaceByName("lldp1")
		if err != nil {
			return err
		}
		to = &unix.SockaddrLinklayer{Ifindex: i.Index, Protocol: 0xcc88}
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		defer unix.Close(fd)
		for ctx.Err() == nil {
			_ = unix.Sendto(fd, lldp(), 0, to)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	})
	return &group
}

// lldp is a frame with the three parts that every one has, and a name.
func lldp() []byte {
	frame := []byte{0x01, 0x80, 0xc2, 0, 0, 0x0e, 0x02, 0x1b, 0xfc, 0, 0, 0x01, 0x88, 0xcc}
	part := func(kind byte, value ...byte) {
		frame = append(append(frame, kind<<1, byte(len(value))), value...)
	}
	part(1, 4, 0x02, 0x1b, 0xfc, 0, 0, 0x01)
	part(2, append([]byte{5}, "Gi0/1"...)...)
	part(3, 0, 120)
	part(5, []byte("edge-1")...)
	part(0)
	return frame
}
