package main

import (
	"golang.org/x/sys/unix"

	"github.com/spf13/pflag"
)

// tables is how much room an agent has in the kernel: for dependencies that are counted, and for open
// connections, each end one. 0 is what suits the machine's memory.
type tables struct{ edges, connections uint32 }

// What may be asked for.
const (
	leastEdges = 256
	mostEdges  = 1 << 20

	leastConnections = 256
	mostConnections  = 1 << 23
)

// Without a word of anybody the tables grow with the machine's memory, from 9 MiB with a GiB to 35 with
// eight: a place for each 128 KiB, of connections four.
const (
	memoryOfEdge        = 128 << 10
	fewestEdges         = 8_192
	usualEdges          = 65_536
	connectionsOfAnEdge = 4
)

func (t *tables) flags(flags *pflag.FlagSet) {
	flags.Uint32Var(&t.edges, "edges", 0, "how many dependencies of this host the kernel keeps counters of, up to a million: some 400 bytes of its memory each, of which 280 from the start; beyond, those that rest longest are told for the last time and make room; 0 is by the machine's memory, 65,536 from 8 GiB on")
	flags.Uint32Var(&t.connections, "connections", 0, "how many connections of this host may be open at one time, each of their ends, up to eight million: 32 bytes of the kernel's memory each; of others nothing is told; 0 is by the machine's memory, 262,144 from 8 GiB on")
}

func (t *tables) check() error {
	if t.edges != 0 && (t.edges < leastEdges || t.edges > mostEdges) {
		return usagef("--edges/CASSINI_EDGES %d: want %d to %d, or 0", t.edges, leastEdges, mostEdges)
	}
	if t.connections != 0 && (t.connections < leastConnections || t.connections > mostConnections) {
		return usagef("--connections/CASSINI_CONNECTIONS %d: want %d to %d, or 0", t.connections, leastConnections, mostConnections)
	}
	return nil
}

// on a machine with so many bytes of memory.
func (t tables) on(memory uint64) tables {
	edges := uint32(min(max(memory/memoryOfEdge, fewestEdges), usualEdges))
	if t.edges == 0 {
		t.edges = edges
	}
	if t.connections == 0 {
		t.connections = edges * connectionsOfAnEdge
	}
	return t
}

// memory is how much this machine has, in bytes; 0 if it does not say.
func memory() uint64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(info.Unit) //nolint:unconvert // of 32 bits on some architectures
}
