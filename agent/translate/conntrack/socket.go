package conntrack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"cassini/agent/inbox"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// buffer holds messages that wait to be read, in bytes.
const buffer = 1 << 20

// inUse is there where connection tracking is.
const inUse = "/proc/sys/net/netfilter/nf_conntrack_count"

var (
	// ErrNotInUse says that this kernel tracks no connections, so that there is nothing to
	// hear: to subscribe would load the module.
	ErrNotInUse = errors.New("connection tracking is not in use")
	// ErrOverrun says that messages were lost, since they were not read in time.
	ErrOverrun = errors.New("conntrack messages were lost")
)

// Socket hears flows of one network namespace. Read has one caller; the other methods may
// be called beside it.
type Socket struct {
	events *netlink.Conn
	enter  func(func() error) error
	closed atomic.Bool
}

// Open subscribes. enter calls a function inside the network namespace, which the socket
// keeps alive. Errors wrap ErrNotInUse, or os.ErrPermission without CAP_NET_ADMIN there.
func Open(enter func(func() error) error) (*Socket, error) {
	s := &Socket{enter: enter}
	if err := enter(s.subscribe); err != nil {
		err = fmt.Errorf("subscribe to conntrack: %w", err)
		if s.events != nil {
			err = errors.Join(err, s.events.Close())
		}
		return nil, err
	}
	return s, nil
}

// Probe tells what keeps Open from working in this network namespace, or nil. It is no
// obstacle that connection tracking is not in use.
func Probe() error {
	s, err := Open(func(f func() error) error { return f() })
	if errors.Is(err, ErrNotInUse) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Close()
}

// groupNew is NFNLGRP_CONNTRACK_NEW.
const groupNew = 1

// subscribe has the filter in place before the first message.
func (s *Socket) subscribe() (err error) {
	if _, err := os.Stat(inUse); errors.Is(err, os.ErrNotExist) {
		return ErrNotInUse
	}
	if s.events, err = netlink.Dial(unix.NETLINK_NETFILTER, nil); err != nil {
		return err
	}
	program, err := bpf.Assemble(filter())
	if err == nil {
		err = s.events.SetBPF(program)
	}
	if err != nil {
		return fmt.Errorf("attach the filter: %w", err)
	}
	_ = s.events.SetReadBuffer(buffer) // a smaller one loses sooner, and says so
	return s.events.JoinGroup(groupNew)
}

// filter passes messages whose CTA_STATUS says that addresses are translated. Attributes
// begin behind two headers; the kernel finds one of them (net/core/filter.c,
// bpf_skb_get_nlattr).
func filter() []bpf.Instruction {
	const (
		attributes = unix.SizeofNlMsghdr + 4 // struct nfgenmsg
		ctaStatus  = 3
	)
	return []bpf.Instruction{
		bpf.LoadConstant{Dst: bpf.RegX, Val: ctaStatus},
		bpf.LoadConstant{Dst: bpf.RegA, Val: attributes},
		bpf.LoadExtension{Num: bpf.ExtNetlinkAttr},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 3}, // it has none
		bpf.TAX{},
		bpf.LoadIndirect{Off: unix.SizeofRtAttr, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: uint32(translated), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: 0xffffffff},
	}
}

// Read waits for messages. It returns flows that begin, and how many messages could not be
// read. Errors wrap ErrOverrun, after which it may be called again, or os.ErrClosed.
func (s *Socket) Read() (flows []Tracked, malformed int, err error) {
	messages, err := s.events.Receive()
	switch {
	case errors.Is(err, unix.ENOBUFS):
		return nil, 0, ErrOverrun
	case err != nil && s.closed.Load():
		return nil, 0, os.ErrClosed
	case err != nil:
		return nil, 0, fmt.Errorf("hear from conntrack: %w", err)
	}
	for _, m := range messages {
		f, ok, err := Parse(m)
		if err != nil {
			malformed++
		}
		if ok {
			flows = append(flows, f)
		}
	}
	return flows, malformed, nil
}

// Empty says whether all messages that came have been read.
func (s *Socket) Empty() bool {
	waiting := 0
	raw, err := s.events.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) {
			waiting, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MEMINFO) // the first is SK_MEMINFO_RMEM_ALLOC
		})
	}
	return err == nil && waiting == 0
}

// Drain throws away messages that wait, of flows that Dump will find. After ErrOverrun the kernel
// keeps none until that is done.
func (s *Socket) Drain() {
	if raw, err := s.events.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { inbox.Drain(int(fd)) })
	}
}

// Dump counts the translated flows that are there, of so many different ones at most. Messages
// that some of them began may still wait to be read.
func (s *Socket) Dump(most int) (Table, error) {
	t := Table{Counts: make(map[Flow]uint64), IDs: make(map[uint32]struct{})}
	err := s.enter(func() error {
		if n, err := os.ReadFile(inUse); err == nil && string(bytes.TrimSpace(n)) == "0" {
			return nil // to go through the table takes as long as that of all namespaces together is large
		}
		return errors.Join(t.read(conntrack.StatusSrcNAT, most), t.read(conntrack.StatusDstNAT, most))
	})
	if err != nil {
		return Table{}, fmt.Errorf("read the table of conntrack: %w", err)
	}
	return t, nil
}

// read counts flows of a status, one by one: there may be millions. Kernels before 5.15 pass those
// of any.
func (t *Table) read(status conntrack.Status, most int) error {
	request := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_CTNETLINK<<8|nl.IPCTNL_MSG_CT_GET, unix.NLM_F_DUMP)
	request.AddData(&nl.Nfgenmsg{NfgenFamily: unix.AF_UNSPEC, Version: nl.NFNETLINK_V0})
	request.AddData(nl.NewRtAttr(nl.CTA_STATUS, binary.BigEndian.AppendUint32(nil, uint32(status))))
	begun := netlink.Header{Type: unix.NFNL_SUBSYS_CTNETLINK << 8, Flags: netlink.Create | netlink.Excl} // as ti-mo/conntrack tells one that begins
	var malformed error
	err := request.ExecuteIter(unix.NETLINK_NETFILTER, 0, func(m []byte) bool {
		flow, err := decode(netlink.Message{Header: begun, Data: m})
		if err != nil {
			malformed = err
			return true
		}
		both := flow.Status&translated == translated && status == conntrack.StatusDstNAT
		if f, ok := flowOf(flow); ok && !both && flow.Status&status != 0 {
			t.add(Tracked{f, flow.ID}, most)
		}
		return true
	})
	return errors.Join(err, malformed)
}

// Close ends Read.
func (s *Socket) Close() error {
	s.closed.Store(true)
	return s.events.Close()
}
