package bpf

import (
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
)

// sctpTraffic are the programs that tell what SCTP's associations move, and how fast they answer.
type sctpTraffic struct {
	progs []sctpCounting // a copy and more
	links []link.Link
	read  sctpReading
	open  *link.Iter // over the associations
}

// sctpCounting are the programs that each chunk of a message passes.
type sctpCounting struct {
	Sent         *ebpf.Program `ebpf:"sctp_sent"`
	Acknowledged *ebpf.Program `ebpf:"sctp_acknowledged"`
	Received     *ebpf.Program `ebpf:"sctp_received"`
}

// sctpReading reads associations that are open.
type sctpReading struct {
	Open *ebpf.Program `ebpf:"traffic_of_association"`
}

// openTraffic loads and attaches all of them, or none with an error: half would be misleading.
func (s *sctp) openTraffic(t *TCP, types *btf.Cache) (*sctpTraffic, error) {
	spec, replace, err := t.beside(loadSctptraffic)
	if err != nil {
		return nil, err
	}
	replace["associations"] = s.objs.Associations
	r, opts := &sctpTraffic{}, ebpf.CollectionOptions{Cache: types, MapReplacements: replace}
	if err := r.load(spec, &opts); err != nil {
		return nil, errors.Join(explain("load the programs that tell what SCTP's associations move", err), r.close())
	}
	if err := r.attach(s.objs.Associations); err != nil {
		return nil, errors.Join(explain("attach the programs that tell what SCTP's associations move", err), r.close())
	}
	return r, nil
}

func (r *sctpTraffic) load(spec *ebpf.CollectionSpec, opts *ebpf.CollectionOptions) error {
	for range programCopies() {
		var progs sctpCounting
		if err := spec.Copy().LoadAndAssign(&progs, opts); err != nil {
			return err
		}
		r.progs = append(r.progs, progs)
	}
	return spec.LoadAndAssign(&r.read, opts)
}

func (r *sctpTraffic) attach(associations *ebpf.Map) (err error) {
	for _, p := range r.progs {
		links, err := attachTracing(p.Received, p.Acknowledged, p.Sent)
		if err != nil {
			return err
		}
		r.links = append(r.links, links...)
	}
	r.open, err = link.AttachIter(link.IterOptions{Program: r.read.Open, Map: associations})
	return err
}

func (r *sctpTraffic) close() error {
	if r == nil {
		return nil
	}
	errs := []error{closeLinks(r.links)}
	if r.open != nil {
		errs = append(errs, r.open.Close())
	}
	if r.read.Open != nil {
		errs = append(errs, r.read.Open.Close())
	}
	for _, p := range r.progs {
		errs = append(errs, p.Sent.Close(), p.Acknowledged.Close(), p.Received.Close())
	}
	return errors.Join(errs...)
}

// iters are the iterators over what is open.
func (s *sctp) iters() []*link.Iter {
	if s == nil || s.traffic == nil {
		return nil
	}
	return []*link.Iter{s.traffic.open}
}

// SCTPTraffic tells what keeps bytes and times of SCTP's associations from being known, or
// nil. Errors wrap ErrNoSCTP before OpenSCTP.
func (t *TCP) SCTPTraffic() error {
	if s := t.sctp.Load(); s != nil {
		return s.noTraffic
	}
	return fmt.Errorf("nothing of SCTP is captured: %w", ErrNoSCTP)
}

// programs are these programs by name; those of a copy bear its number.
func (r *sctpTraffic) programs() map[string]*ebpf.Program {
	if r == nil {
		return nil
	}
	programs := map[string]*ebpf.Program{"traffic_of_association": r.read.Open}
	for i, p := range r.progs {
		maps.Copy(programs, ofCopy(i, map[string]*ebpf.Program{"sctp_sent": p.Sent, "sctp_acknowledged": p.Acknowledged, "sctp_received": p.Received}))
	}
	return programs
}

// ofCopy names programs by the number of their copy, but for the first.
func ofCopy(i int, programs map[string]*ebpf.Program) map[string]*ebpf.Program {
	if i == 0 {
		return programs
	}
	named := make(map[string]*ebpf.Program)
	for name, prog := range programs {
		named[name+"_"+strconv.Itoa(i+1)] = prog
	}
	return named
}
