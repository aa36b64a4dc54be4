package srv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/mdns"
)

const (
	// local is the domain that is asked for by multicast DNS (RFC 6762, 3).
	local = "local"
	// around is how long answers are waited for.
	around = time.Second
	// maxAnswers is how many managers may answer on one interface.
	maxAnswers = 64
)

// askAround asks who in the networks of this host is a manager, and says what was left out.
func (f *Finder) askAround(ctx context.Context) (targets []Target, remark string, err error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, "", fmt.Errorf("ask by multicast where the manager is: list interfaces: %w", err)
	}
	var asking sync.WaitGroup
	var mu sync.Mutex // on all below
	var errs []error
	var entries []*mdns.ServiceEntry
	asked := 0
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		asked++
		asking.Go(func() {
			found, err := f.askOn(ctx, i)
			mu.Lock()
			defer mu.Unlock()
			entries = append(entries, found...)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", i.Name, err))
			}
		})
	}
	asking.Wait()
	targets, refused := heard(entries)
	if len(targets) == 0 {
		return nil, "", errors.Join(fmt.Errorf("ask by multicast DNS where the manager is: %w: on %d interfaces nobody answered for %s; is it in this network, and does it run with --announce?", ErrNoTarget, asked, f.Service()), errors.Join(errs...))
	}
	if refused > 0 {
		remark = fmt.Sprintf("%d of %d answers are not used: no name of a host, port 0, no address, or twice the same", refused, len(entries))
	}
	return targets, remark, nil
}

// askOn asks on one interface.
func (f *Finder) askOn(ctx context.Context, i net.Interface) (found []*mdns.ServiceEntry, err error) {
	answers := make(chan *mdns.ServiceEntry, maxAnswers) // more are dropped
	err = mdns.QueryContext(ctx, &mdns.QueryParam{
		Service: strings.TrimSuffix(service, "."), Domain: local, Timeout: around, Interface: &i, Entries: answers,
		Logger: slog.NewLogLogger(f.cfg.Logger.Handler(), slog.LevelDebug),
	})
	for len(answers) > 0 {
		found = append(found, <-answers)
	}
	return found, err
}

// heard are the targets among what came: others answer others' questions at the same time.
func heard(entries []*mdns.ServiceEntry) (targets []Target, refused int) {
	suffix := "." + service + local + "."
	for _, e := range entries {
		if !strings.HasSuffix(strings.ToLower(e.Name), suffix) {
			continue
		}
		t := Target{Host: strings.ToLower(strings.TrimSuffix(e.Host, ".")), Port: uint16(e.Port)}
		if a, ok := netip.AddrFromSlice(e.AddrV4); ok {
			t.Addr = a.Unmap()
		} else if e.AddrV6IPAddr != nil {
			if a, ok := netip.AddrFromSlice(e.AddrV6IPAddr.IP); ok {
				t.Addr = a.WithZone(e.AddrV6IPAddr.Zone)
			}
		}
		if !t.Addr.IsValid() || t.Port == 0 || e.Port > 65535 || !validName(t.Host) || slices.ContainsFunc(targets, t.same) {
			refused++
			continue
		}
		targets = append(targets, t)
	}
	return targets, refused
}
