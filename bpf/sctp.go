package bpf

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
)

// SCTPModule is the name of the kernel's module, for whoever waits for it to be loaded.
const SCTPModule = "sctp"

// ErrNoSCTP says that this kernel's SCTP is not loaded: nobody has asked for it, or there is
// none.
var ErrNoSCTP = errors.New("the kernel's SCTP is not loaded")

// sctp are the attached SCTP programs.
type sctp struct {
	objs  sctpMaps
	progs []sctpPrograms // a copy and more
	links []link.Link

	traffic   *sctpTraffic // nil when nobody tells what associations move ...
	noTraffic error        // ... because of this
}

// OpenSCTP attaches SCTP's programs, once, and puts what existed before into the maps: the
// listeners and associations of every open file; the kernel's own are not found. Read the result with
// Listeners and Edges. It has one caller at a time. Errors wrap ErrNoSCTP, or tell what keeps
// the programs away.
func (t *TCP) OpenSCTP(ctx context.Context) error {
	if t.sctp.Load() != nil {
		return nil
	}
	if !sctpLoaded() {
		return ErrNoSCTP
	}
	s, types := &sctp{}, btf.NewCache() // its own: those of the start may not have SCTP's
	if err := s.load(t, types); err != nil {
		return errors.Join(fmt.Errorf("load the SCTP programs (trampolines may be refused, even to root): %w", err), s.close())
	}
	s.traffic, s.noTraffic = s.openTraffic(t, types) // first, so that nothing goes uncounted
	if err := s.attach(); err != nil {
		return errors.Join(fmt.Errorf("attach the SCTP programs (trampolines may be refused, even to root): %w", err), s.close())
	}
	t.sctp.Store(s)
	if err := t.findListeners(ctx); err != nil {
		return fmt.Errorf("find existing SCTP services: %w", err)
	}
	if err := s.find(ctx, t, types); err != nil {
		return fmt.Errorf("find existing SCTP associations: %w", err)
	}
	return nil
}

// sctpLoaded also says yes where SCTP is part of the kernel: it has a parameter.
func sctpLoaded() bool {
	const dir = "/sys/module/" + SCTPModule
	if _, err := os.Stat(dir); err != nil {
		return false
	}
	state, err := os.ReadFile(dir + "/initstate")
	return err != nil || strings.TrimSpace(string(state)) == "live"
}

// load loads as many copies of the programs as TCP has of its own, for the same reason.
func (s *sctp) load(t *TCP, cache *btf.Cache) error {
	spec, replace, err := t.beside(loadSctp)
	if err != nil {
		return err
	}
	replace["healths"], replace["more_healths"] = t.objs.Healths, t.objs.MoreHealths
	if err := spec.LoadAndAssign(&s.objs, &ebpf.CollectionOptions{Cache: cache, MapReplacements: replace}); err != nil {
		return err
	}
	replace["associations"] = s.objs.Associations
	for range programCopies() {
		var progs sctpPrograms
		if err := spec.Copy().LoadAndAssign(&progs, &ebpf.CollectionOptions{Cache: cache, MapReplacements: replace}); err != nil {
			return err
		}
		s.progs = append(s.progs, progs)
	}
	return nil
}

// attach begins with the ends, so that nothing is kept whose end goes unseen.
func (s *sctp) attach() error {
	for _, p := range s.progs {
		links, err := attachTracing(p.SctpUnlisten, p.SctpListen, p.SctpEnded, p.SctpUnreachable, p.SctpEstablished, p.SctpAdded)
		if err != nil {
			return err
		}
		s.links = append(s.links, links...)
	}
	return nil
}

func (s *sctp) close() error {
	errs := []error{closeLinks(s.links), s.traffic.close()}
	for _, p := range s.progs {
		errs = append(errs, p.Close())
	}
	if s.objs.Associations != nil {
		errs = append(errs, s.objs.Close())
	}
	return errors.Join(errs...)
}

// findListeners looks for SCTP's listeners, beside the others.
func (t *TCP) findListeners(ctx context.Context) (err error) {
	objs, err := t.loadBootstrap()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, objs.Close()) }()
	if err := objs.Pass.Set(passListeners); err != nil {
		return fmt.Errorf("set bootstrap pass: %w", err)
	}
	return scan(ctx, objs.ScanFiles)
}

// find looks for associations.
func (s *sctp) find(ctx context.Context, t *TCP, types *btf.Cache) (err error) {
	spec, replace, err := t.beside(loadSctpscan)
	if err != nil {
		return err
	}
	replace["associations"] = s.objs.Associations
	var progs struct {
		sctpscanPrograms
		sctpscanVariables
	}
	if err := spec.LoadAndAssign(&progs, &ebpf.CollectionOptions{Cache: types, MapReplacements: replace}); err != nil {
		return explain("load the program that looks for them", err)
	}
	defer func() { err = errors.Join(err, progs.Close()) }()
	return inTwo(progs.Noted, progs.Again, func() error { return scan(ctx, progs.ScanAssociations) })
}

// associationsLimit is how many associations may be open at one time: association.h.
const associationsLimit = 65536

// maps are SCTP's own; none when SCTP is not captured.
func (s *sctp) maps() []*ebpf.Map {
	if s == nil {
		return nil
	}
	return []*ebpf.Map{s.objs.Associations}
}

// programs are SCTP's programs by name, likewise; those of a copy bear its number.
func (s *sctp) programs() map[string]*ebpf.Program {
	if s == nil {
		return nil
	}
	programs := s.traffic.programs()
	if programs == nil {
		programs = make(map[string]*ebpf.Program)
	}
	for i, p := range s.progs {
		maps.Copy(programs, ofCopy(i, map[string]*ebpf.Program{
			"sctp_listen": p.SctpListen, "sctp_unlisten": p.SctpUnlisten, "sctp_added": p.SctpAdded,
			"sctp_established": p.SctpEstablished, "sctp_unreachable": p.SctpUnreachable, "sctp_ended": p.SctpEnded,
		}))
	}
	return programs
}
