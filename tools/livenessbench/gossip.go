package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"cassini/tools/estate"

	"golang.org/x/sys/unix"
)

// gossip is a node of memberlist on each host: this program again.
type gossip struct {
	rig  *rig
	dir  string
	kind string

	mu     sync.Mutex
	nodes  map[string]*gossipNode
	events []saying
}

// gossipNode is a process and whom it holds for alive.
type gossipNode struct {
	cmd   *estate.Cmd
	done  chan struct{}
	alive map[string]bool
}

func newGossip(r *rig, dir, kind string) *gossip {
	return &gossip{rig: r, dir: dir, kind: kind, nodes: make(map[string]*gossipNode)}
}

// start begins with those that the others join by.
func (g *gossip) start(ctx context.Context) error {
	for _, h := range g.rig.hosts {
		if err := g.startNode(h); err != nil {
			return err
		}
		if h == g.rig.hosts[0] {
			sleep(ctx, time.Second)
		}
	}
	return ctx.Err()
}

func (g *gossip) startNode(host string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	var seeds []string
	for _, h := range g.rig.Hosts() {
		if strings.HasSuffix(h.Name, "-h1") && h.Switch <= 2 {
			seeds = append(seeds, h.Addr.String())
		}
	}
	addr := ""
	for _, h := range g.rig.Hosts() {
		if h.Name == host {
			addr = h.Addr.String()
		}
	}
	cmd := g.rig.Command(context.Background(), host, self, roleNode, g.kind, host, addr, strings.Join(seeds, ","))
	log, err := os.OpenFile(filepath.Join(g.dir, host+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the node has its own
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", host, err)
	}
	n := &gossipNode{cmd: cmd, done: make(chan struct{}), alive: make(map[string]bool)}
	g.mu.Lock()
	g.nodes[host] = n
	g.mu.Unlock()
	go g.listen(host, n, out) // ends with the node
	return nil
}

// listen takes a node's lines: TIME WHAT OF.
func (g *gossip) listen(host string, n *gossipNode, out io.Reader) {
	defer close(n.done)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var nanos int64
		var what, of string
		if _, err := fmt.Sscan(lines.Text(), &nanos, &what, &of); err != nil {
			continue
		}
		g.mu.Lock()
		n.alive[of] = what == eventJoin
		if what != eventJoin {
			g.events = append(g.events, saying{By: host, Of: of, Kind: what, Death: true, At: time.Unix(0, nanos)})
		}
		g.mu.Unlock()
	}
	_ = n.cmd.Wait()
}

func (g *gossip) whole() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for host, n := range g.nodes {
		count := 0
		for _, alive := range n.alive {
			if alive {
				count++
			}
		}
		if count != len(g.rig.hosts) {
			return fmt.Errorf("%s knows %d", host, count)
		}
	}
	return nil
}

func (g *gossip) node(host string) (*gossipNode, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := g.nodes[host]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("no node on %s", host)
}

func (g *gossip) pid(host string) (int, error) {
	n, err := g.node(host)
	if err != nil {
		return 0, err
	}
	return n.cmd.Process.Pid, nil
}

func (g *gossip) manager() int { return 0 }

func (g *gossip) signal(host string, s unix.Signal) error {
	n, err := g.node(host)
	if err != nil {
		return err
	}
	return n.cmd.Process.Signal(s)
}

func (g *gossip) crash(host string) error {
	n, err := g.node(host)
	if err != nil {
		return err
	}
	if err := errors.Join(g.rig.CutLink(host), n.cmd.Process.Kill()); err != nil {
		return err
	}
	<-n.done
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.nodes, host)
	return nil
}

func (g *gossip) boot(host string) error { return errors.Join(g.rig.MendLink(host), g.startNode(host)) }

// await waits until half of the other hosts know.
func (g *gossip) await(ctx context.Context, host string, from time.Time) (sighting, error) {
	var s sighting
	err := until(ctx, 90*time.Second, 50*time.Millisecond, func() error {
		times := g.seen(host, from)
		half := len(g.rig.hosts) / 2
		if len(times) < half {
			return fmt.Errorf("%d know", len(times))
		}
		s = sighting{First: times[0], Half: times[half-1], What: eventDead}
		return nil
	})
	if times := g.seen(host, from); err != nil && len(times) > 0 {
		s.First, s.What = times[0], eventDead
	}
	return s, err
}

// seen is when each observer first held a host for dead, the earliest first.
func (g *gossip) seen(host string, from time.Time) (times []time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	by := make(map[string]bool)
	for _, e := range g.events {
		if e.Of == host && e.At.After(from) && !by[e.By] {
			by[e.By] = true
			times = append(times, e.At.Sub(from))
		}
	}
	slices.Sort(times)
	return times
}

func (g *gossip) sayings(since time.Time) ([]saying, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []saying
	for _, e := range g.events {
		if e.At.After(since) {
			all = append(all, e)
		}
	}
	return all, nil
}

func (g *gossip) close() {
	g.mu.Lock()
	nodes := g.nodes
	g.nodes = make(map[string]*gossipNode)
	g.mu.Unlock()
	for _, n := range nodes {
		_ = n.cmd.Process.Kill()
	}
	for _, n := range nodes {
		<-n.done
	}
}
