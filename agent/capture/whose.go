package capture

import "cassini/bpf"

// whose is what the key of a kernel edge tells and its dependency does not.
type whose struct {
	cgroup, exeIno uint64
	exeDev, netns  uint32
	scope          uint32
	bound          bound
}

// bound is the local address of a key.
type bound uint8

const (
	boundAsTold bound = iota // it is that of the dependency
	boundToAny4              // every address of IPv4: a socket of UDP, of which the dependency tells where it sends from
	boundToAny6
)

// any4 is every address of IPv4 as the kernel's keys have it.
var any4 = [16]byte{10: 0xff, 11: 0xff}

// whoseIs takes a key apart; dep tells the rest.
func whoseIs(key *bpf.EdgeKey, dep *dependency) whose {
	w := whose{cgroup: key.Cgroup, exeIno: key.ExeIno, exeDev: key.ExeDev, netns: key.Netns, scope: key.Scope}
	_, told := dep.ends()
	switch key.Local {
	case told:
	case any4:
		w.bound = boundToAny4
	default:
		w.bound = boundToAny6
	}
	return w
}

// ends are the addresses of the peer and of this end.
func (f *facts) ends() (peer, own [16]byte) {
	if f.direction == bpf.DirectionOut {
		return f.server, f.client
	}
	return f.client, f.server
}

// key is the key of the kernel's edge.
func (e *edge) key() bpf.EdgeKey {
	d := e.of
	key := bpf.EdgeKey{
		Cgroup: e.cgroup, ExeIno: e.exeIno, ExeDev: e.exeDev, Netns: e.netns,
		Scope: e.scope, Port: d.port, Proto: d.proto, Direction: d.direction,
	}
	key.Peer, key.Local = d.ends()
	switch e.bound {
	case boundToAny4:
		key.Local = any4
	case boundToAny6:
		key.Local = [16]byte{}
	}
	return key
}
