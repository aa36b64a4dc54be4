// Package quick decodes and writes what there is most of, dependencies, several times as fast
// as encoding/json. It decodes documents as agents write them, without white space, escapes
// and surprises. Everything else it leaves to encoding/json, and what it does itself is the
// same: fuzz tests compare them.
package quick

import (
	"math"
	"net/netip"

	"cassini/model"
	"cassini/model/scan"
)

// Dependency decodes the body of a document into d, which has to be zero. It is false when
// encoding/json has to look, which may find it good or bad; then d has parts of it. Texts are
// those of t, which may be nil, and share no memory with the body; lists of texts are good
// until t is used again.
func Dependency(body []byte, d *model.Dependency, t *Texts) bool {
	s := scanner{Scanner: scan.New(body), texts: t}
	s.Object(func(key []byte) {
		name := string(key) // as long as the longest at most, as a rule: it takes no memory
		if !s.process(name, &d.Process) && !s.counter(name, &d.Counters) && !s.rest(name, d) {
			s.Fail()
		}
	})
	return s.Done()
}

// scanner decodes what is ours.
type scanner struct {
	scan.Scanner[[]byte]
	texts *Texts
}

func (s *scanner) text() string { return s.texts.of(s.Text()) }

// list takes a list of texts, or null.
func (s *scanner) list() []string {
	if s.Null() {
		return nil
	}
	list := s.texts.room()
	s.Array(func() { list = append(list, s.text()) })
	return s.texts.take(list)
}

func (s *scanner) rest(key string, d *model.Dependency) bool {
	switch key {
	case "direction":
		d.Direction = model.Direction(s.text())
	case "proto":
		d.Proto = s.text()
	case "client_addr":
		s.addr(&d.Client)
	case "server_addr":
		s.addr(&d.Server)
	case "port":
		d.Port = uint16(s.Number(math.MaxUint16))
	case "netns":
		d.Netns = uint32(s.Number(math.MaxUint32))
	case "netns_name":
		d.NetnsName = s.text()
	case "interface":
		d.Interface = s.text()
	case "path":
		d.Path = s.text()
	case "mntns_name":
		d.MntnsName = s.text()
	case "socket_type":
		d.SocketType = s.text()
	case "dialled":
		d.Dialled = s.text()
	case "first_seen":
		d.FirstSeen = s.Time()
	case "last_seen":
		d.LastSeen = s.Time()
	case "counting_since":
		d.CountingSince = s.Time()
	default:
		return false
	}
	return true
}

func (s *scanner) addr(a *netip.Addr) {
	if a.UnmarshalText(s.Text()) != nil {
		s.Fail()
	}
}

func (s *scanner) process(key string, p *model.Process) bool {
	switch key {
	case "pid":
		p.PID = int(s.Number(math.MaxInt))
	case "exe":
		p.Exe = s.text()
	case "comm":
		p.Comm = s.text()
	case "called_as":
		p.CalledAs = s.text()
	case "cmdline":
		p.Cmdline = s.list()
	case "uid":
		p.UID = s.text()
	case "gid":
		p.GID = s.text()
	case "uid_number":
		p.UIDNum = uint32(s.Number(math.MaxUint32))
	case "gid_number":
		p.GIDNum = uint32(s.Number(math.MaxUint32))
	case "cwd":
		p.Cwd = s.text()
	case "cgroup":
		p.Cgroup = s.text()
	case "cgroup_id":
		p.CgroupID = s.Number(math.MaxUint64)
	case "home":
		s.home(p)
	case "partial":
		p.Partial = s.Bool()
	default:
		return false
	}
	return true
}

func (s *scanner) home(p *model.Process) {
	if p.Home != nil {
		s.Fail() // twice
		return
	}
	h := new(model.Home)
	p.Home = h
	s.Object(func(key []byte) {
		field := homeField(string(key), h)
		if field == nil {
			s.Fail()
			return
		}
		*field = s.text()
	})
}

// homeField is the text of a key, or nil.
func homeField(key string, h *model.Home) *string {
	switch key {
	case "unit":
		return &h.SystemdUnit
	case "slice":
		return &h.Slice
	case "scope":
		return &h.Scope
	case "session":
		return &h.Session
	case "login_uid":
		return &h.LoginUID
	case "runtime":
		return &h.Runtime
	case "container_id":
		return &h.ContainerID
	case "pod_uid":
		return &h.PodUID
	case "pod_qos":
		return &h.PodQoS
	}
	return nil
}

func (s *scanner) counter(key string, c *model.Counters) bool {
	n := count(key, c)
	switch {
	case n != nil:
		*n = s.Number(math.MaxUint64)
		return true
	case key == "open_traffic":
		s.traffic(&c.OpenTraffic)
		return true
	case key == "adopted_traffic":
		s.traffic(&c.AdoptedTraffic)
		return true
	}
	h := histogram(key, c)
	if h == nil {
		return false
	}
	if text := s.Counts(); !s.Failed() && h.UnmarshalJSON(text) != nil {
		s.Fail()
	}
	return true
}

// count is the counter of a key, or nil.
func count(key string, c *model.Counters) *uint64 {
	switch key {
	case "connections":
		return &c.Connections
	case "adopted":
		return &c.Adopted
	case "attempts":
		return &c.Attempts
	case "failed":
		return &c.Failed
	case "refused":
		return &c.Refused
	case "timed_out":
		return &c.TimedOut
	case "unreachable":
		return &c.Unreachable
	case "aborted":
		return &c.Aborted
	case "open":
		return &c.Open
	case "datagrams_sent":
		return &c.DatagramsSent
	case "datagrams_received":
		return &c.DatagramsReceived
	case "rtt_microseconds":
		return &c.RTTMicros
	case "closed":
		return &c.Closed
	}
	return moved(key, &c.BytesSent, &c.BytesReceived, &c.Retransmits)
}

func moved(key string, sent, received, retransmits *uint64) *uint64 {
	switch key {
	case "bytes_sent":
		return sent
	case "bytes_received":
		return received
	case "retransmits":
		return retransmits
	}
	return nil
}

func (s *scanner) traffic(t *model.Traffic) {
	s.Object(func(key []byte) {
		n := moved(string(key), &t.BytesSent, &t.BytesReceived, &t.Retransmits)
		if n == nil {
			s.Fail()
			return
		}
		*n = s.Number(math.MaxUint64)
	})
}

// histogram is that of a key, or nil.
func histogram(key string, c *model.Counters) *model.Histogram {
	switch key {
	case "rtt_histogram":
		return &c.RTTs
	case "lifetime_histogram":
		return &c.Lifetimes
	case "open_rtt_histogram":
		return &c.OpenRTTs
	case "open_age_histogram":
		return &c.OpenAges
	}
	return nil
}
