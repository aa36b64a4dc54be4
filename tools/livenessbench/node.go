package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// What this program is when it is started again.
const (
	roleNode = "node"
	roleBusy = "busy"
)

// Events of nodes.
const (
	eventJoin = "join"
	eventDead = "dead"
	eventLeft = "left"
)

// runNode is one node of memberlist: KIND NAME ADDR SEED,SEED. It writes a line for each
// event, and ends with who started it.
func runNode(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("a node wants a kind, a name, an address and seeds: %q", args)
	}
	cfg := nodeConfig(args[0])
	cfg.Name, cfg.BindAddr, cfg.AdvertiseAddr = args[1], args[2], args[2]
	cfg.Events = &teller{out: bufio.NewWriter(os.Stdout)}
	list, err := memberlist.Create(cfg)
	if err != nil {
		return fmt.Errorf("make a node: %w", err)
	}
	for {
		if _, err := list.Join(strings.Split(args[3], ",")); err == nil {
			select {}
		}
		time.Sleep(time.Second)
	}
}

// nodeConfig is what memberlist proposes for a LAN, or that made to tell a death after
// some 5 seconds: probes twice as often, and a suspicion of 3 to 3.7 seconds at 100 to
// 300 nodes once another node confirmed it. Both encrypt, and compress nothing of what
// is small: only pushes and pulls are large.
func nodeConfig(kind string) *memberlist.Config {
	cfg := memberlist.DefaultLANConfig()
	if kind == memberlistTuned {
		cfg.ProbeInterval, cfg.ProbeTimeout, cfg.SuspicionMult = 500*time.Millisecond, 250*time.Millisecond, 3
	}
	key := sha256.Sum256([]byte("livenessbench"))
	cfg.SecretKey = key[:]
	cfg.Logger = log.New(os.Stderr, "", log.LstdFlags|log.Lmicroseconds)
	return cfg
}

// teller writes events.
type teller struct {
	mu  sync.Mutex
	out *bufio.Writer
}

// NotifyJoin implements memberlist.EventDelegate.
func (t *teller) NotifyJoin(n *memberlist.Node) { t.tell(eventJoin, n) }

// NotifyLeave implements memberlist.EventDelegate: a node died or left.
func (t *teller) NotifyLeave(n *memberlist.Node) {
	if n.State == memberlist.StateLeft {
		t.tell(eventLeft, n)
		return
	}
	t.tell(eventDead, n)
}

// NotifyUpdate implements memberlist.EventDelegate.
func (t *teller) NotifyUpdate(*memberlist.Node) {}

func (t *teller) tell(what string, n *memberlist.Node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(t.out, time.Now().UnixNano(), what, n.Name)
	_ = t.out.Flush() // where it is not heard any more, the node is about to end
}
