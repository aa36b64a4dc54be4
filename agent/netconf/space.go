package netconf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"cassini/agent/netns"
	"cassini/model"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// dumpTries is how often a reading starts anew that changes interrupted.
const dumpTries = 5

// space is one network namespace that is listened to.
type space struct {
	ns      netns.Namespace
	events  *notices
	asks    *nl.NetlinkSocket
	drivers *drivers
	counts  *counts
	cfg     Config

	mu    sync.Mutex // links' own notices come beside the others
	table *table
}

// counts are shared by all namespaces.
type counts struct {
	messages, malformed, resyncs, unkept atomic.Uint64
}

// openSpace opens sockets in a namespace. They keep it alive until close.
func openSpace(ns netns.Namespace, cfg Config, c *counts) (*space, error) {
	s := &space{ns: ns, table: newTable(ns.Name), cfg: cfg, counts: c}
	err := ns.Do(func() (err error) {
		if s.events, err = subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_NEIGH,
			unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE); err != nil {
			return fmt.Errorf("subscribe to rtnetlink: %w", err)
		}
		if s.asks, err = nl.Subscribe(unix.NETLINK_ROUTE); err != nil {
			return fmt.Errorf("open rtnetlink: %w", err)
		}
		s.drivers, err = openDrivers()
		return err
	})
	if err != nil {
		s.close()
		return nil, fmt.Errorf("listen in network namespace %s: %w", ns.Path, err)
	}
	s.events.buffer(cfg.ReceiveBuffer)
	return s, nil
}

func (s *space) close() {
	s.events.close()
	if s.asks != nil {
		s.asks.Close()
	}
	if s.drivers != nil {
		s.drivers.close()
	}
}

// run tells what moves after readAll, until the context ends. tell is not called
// twice at once.
func (s *space) run(ctx context.Context, tell func([]model.Interface, []change)) error {
	var notices sync.WaitGroup
	defer notices.Wait()
	stop := context.AfterFunc(ctx, s.stop)
	defer stop()
	defer s.stop()
	notices.Go(func() { s.drivers.listen(func(index int) { s.reset(index, tell) }, s.malformed) })
	for {
		if err := s.settle(ctx, tell); err != nil {
			return err
		}
		messages, err := s.events.receive()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			if err := s.startOver(ctx); err != nil {
				return err
			}
			continue
		case errors.Is(err, os.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("hear from rtnetlink: %w", err)
		}
		s.mu.Lock()
		for _, m := range messages {
			s.take(m)
		}
		s.mu.Unlock()
	}
}

// stop ends run.
func (s *space) stop() {
	s.events.close()
	s.drivers.notices.close()
}

// settle tells what differs from what was told.
func (s *space) settle(ctx context.Context, tell func([]model.Interface, []change)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table.routes.stale {
		s.table.forgetRoutes()
		if err := s.read(ctx, routeTables); err != nil {
			return err
		}
	}
	tell(s.moved(false))
	return nil
}

// startOver reads everything, since messages were lost.
func (s *space) startOver(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.resyncs.Add(1)
	s.events.drain()
	return s.readAll(ctx)
}

// reset asks the driver of a link again, which somebody set; 0 is for all links.
func (s *space) reset(index int, tell func([]model.Interface, []change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.messages.Add(1)
	for i, l := range s.table.links {
		if index == 0 || index == i {
			s.table.settings[i] = s.drivers.read(i, l.Name)
			s.table.dirty[i] = struct{}{}
		}
	}
	tell(s.moved(false))
}

func (s *space) malformed(err error) {
	s.counts.malformed.Add(1)
	s.cfg.Logger.Warn("netlink message left out", "error", err)
}

func (s *space) take(raw syscall.NetlinkMessage) {
	s.counts.messages.Add(1)
	m, ok, err := parseMessage(raw)
	switch {
	case err != nil:
		s.malformed(err)
	case !ok:
	case m.seen != nil:
		if met, ok := s.table.meet(*m.seen); ok {
			s.cfg.Met(met)
		}
	case m.learned != nil:
		if entry, ok := s.table.forwards(*m.learned); ok {
			s.cfg.Learned(entry)
		}
	default:
		s.table.apply(m)
		if m.link != nil && !m.gone {
			s.table.settings[m.link.Index] = s.drivers.read(m.link.Index, m.link.Name)
		}
	}
}

// moved is what differs from what was last told; first is for what there was before.
func (s *space) moved(first bool) ([]model.Interface, []change) {
	now := time.Now()
	unkept := s.table.routes.unkept
	s.table.routes.unkept = 0
	s.counts.unkept.Add(unkept)
	return s.table.moved(now), s.table.routes.moved(s.table.name, first, now)
}

// reading is a table of the kernel, and the messages that it is read by.
type reading struct {
	get, answer uint16
	family      int
}

var (
	routeTables = []reading{{unix.RTM_GETROUTE, unix.RTM_NEWROUTE, unix.AF_UNSPEC}, {unix.RTM_GETRULE, unix.RTM_NEWRULE, unix.AF_UNSPEC}}
	allTables   = slices.Concat([]reading{
		{unix.RTM_GETLINK, unix.RTM_NEWLINK, unix.AF_UNSPEC},
		{unix.RTM_GETADDR, unix.RTM_NEWADDR, unix.AF_UNSPEC},
		{unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, unix.AF_UNSPEC},
		{unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, unix.AF_BRIDGE},
	}, routeTables)
)

// readAll reads what there is now: at the start, and after messages were lost.
func (s *space) readAll(ctx context.Context) error {
	s.table.forget()
	err := s.read(ctx, allTables)
	s.table.routes.stale = false // they were read last
	return err
}

func (s *space) read(ctx context.Context, tables []reading) error {
	for _, kind := range tables {
		if err := s.dump(ctx, kind); err != nil {
			return fmt.Errorf("read from rtnetlink: %w", err)
		}
	}
	return nil
}

// dump takes what a table has, one by one: a router may have a million routes. If it is interrupted
// by changes in the end too, notifications of these wait.
func (s *space) dump(ctx context.Context, kind reading) error {
	unkept := s.table.routes.unkept
	for range dumpTries {
		s.table.routes.unkept = unkept // who found no room before comes again
		req := nl.NewNetlinkRequest(int(kind.get), unix.NLM_F_DUMP)
		req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s.asks}}
		req.AddData(nl.NewIfInfomsg(kind.family))
		err := req.ExecuteIter(unix.NETLINK_ROUTE, kind.answer, func(data []byte) bool {
			s.take(syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: kind.answer}, Data: data})
			return true
		})
		if !errors.Is(err, nl.ErrDumpInterrupted) {
			return err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil
}
