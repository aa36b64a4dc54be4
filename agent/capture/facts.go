package capture

import (
	"reflect"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// facts are what a dependency's document tells beside counters, in little room.
type facts struct {
	common         *common  // shared by many
	client, server [16]byte // as the kernel has them
	first, last    int64    // when it was seen: nanoseconds since 1970, 0 for never
	since          int64    // likewise, when counting began
	pid            int32    // of the latest process
	netns          uint32
	port           uint16
	direction      uint8 // of the edge's key
	proto          uint8 // likewise
}

// common is what all dependencies of a process in a network namespace tell alike, those on one
// interface where it tells that. It is never changed.
type common struct {
	process       model.Process
	netnsName, on string
}

// describe is what the facts were made of, without counters.
func (f *facts) describe() model.Dependency {
	d := model.Dependency{
		Direction: toDirection(f.direction), Proto: protoName(f.proto), Process: f.common.process,
		Client: bpf.Addr(f.client), Server: bpf.Addr(f.server), Port: f.port, Netns: f.netns, NetnsName: f.common.netnsName, Interface: f.common.on,
		FirstSeen: moment(f.first), LastSeen: moment(f.last), CountingSince: moment(f.since),
	}
	d.PID = int(f.pid)
	return d
}

// toDirection is what documents call the direction of an edge's key.
func toDirection(direction uint8) model.Direction {
	switch direction {
	case bpf.DirectionOut:
		return model.Out
	case bpf.DirectionIn:
		return model.In
	}
	return model.Unknown
}

func ofDirection(direction model.Direction) uint8 {
	for _, known := range []uint8{bpf.DirectionOut, bpf.DirectionIn} {
		if toDirection(known) == direction {
			return known
		}
	}
	return bpf.DirectionUnknown
}

// key is the key of the document.
func (d *dependency) key() string {
	what := d.describe()
	return what.Key()
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// imagesLimit bounds the processes that are looked through for one that can be shared.
const imagesLimit = 1024

// images are what dependencies have in common, by program, process id, network namespace and interface.
type images map[image]*common

type image struct {
	exe, netnsName, on string
	pid                int
}

// share is what a dependency has in common with others.
func (i images) share(d *model.Dependency) *common {
	at := image{d.Exe, d.NetnsName, d.Interface, d.PID}
	if known := i[at]; known != nil && reflect.DeepEqual(known.process, d.Process) {
		return known
	}
	if len(i) >= imagesLimit {
		clear(i)
	}
	i[at] = &common{d.Process, d.NetnsName, d.Interface}
	return i[at]
}

func (i images) facts(d *model.Dependency) facts {
	return facts{
		common: i.share(d), pid: int32(d.PID), client: d.Client.As16(), server: d.Server.As16(),
		direction: ofDirection(d.Direction), netns: d.Netns, port: d.Port, proto: protoNumber(d.Proto),
		first: nanos(d.FirstSeen), last: nanos(d.LastSeen), since: nanos(d.CountingSince),
	}
}
