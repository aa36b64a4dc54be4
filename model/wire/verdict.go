package wire

import (
	"slices"
	"time"

	"cassini/model"
)

const (
	maxObservations = 6
	maxText         = 32 // of a kind, a doubt, a clue
	maxDoubts       = 6
)

func (w *writer) reportID(id *model.ReportID) {
	if id == nil {
		w.fail("report", ErrMalformed)
		return
	}
	w.text("reporter", id.Reporter, MaxHost)
	w.u64(uint64(id.Incarnation))
	w.u64(id.Sequence)
}

func (r *reader) reportID() *model.ReportID {
	return &model.ReportID{Reporter: r.text(MaxHost), Incarnation: model.Incarnation(r.u64()), Sequence: r.u64()}
}

func (w *writer) verdict(v *model.Verdict) {
	if v == nil {
		w.fail("verdict", ErrMalformed)
		return
	}
	w.reportID(&v.ID)
	w.text("ring", string(v.Ring), MaxHost)
	w.u64(uint64(v.Epoch))
	for _, kind := range []model.VerdictKind{v.Kind, v.Was, v.Became} {
		w.text("kind", string(kind), maxText)
	}
	w.member(v.Subject)
	w.u64(uint64(v.At.UnixMilli()))
	w.evidence(v.Evidence)
	w.u8(boolByte(v.Corrects != nil))
	if v.Corrects != nil {
		w.reportID(v.Corrects)
	}
	w.text("bridged", v.Bridged, MaxHost)
}

func (r *reader) verdict() *model.Verdict {
	v := &model.Verdict{ID: *r.reportID(), Ring: model.RingID(r.text(MaxHost)), Epoch: model.Epoch(r.u64())}
	for _, kind := range []*model.VerdictKind{&v.Kind, &v.Was, &v.Became} {
		*kind = model.VerdictKind(r.text(maxText))
	}
	v.Subject = r.member()
	v.At = time.UnixMilli(int64(r.u64())).UTC()
	v.Evidence = r.evidence()
	if r.u8() == 1 {
		v.Corrects = r.reportID()
	}
	v.Bridged = r.text(MaxHost)
	return v
}

// evidence is cut to what a datagram bears: what is left out is told by the report to
// the manager.
func (w *writer) evidence(e model.Evidence) {
	w.u64(uint64(e.Silent / time.Millisecond))
	w.u8(uint8(min(e.Probes, 255)))
	e.Observations = e.Observations[:min(len(e.Observations), maxObservations)]
	w.u8(uint8(len(e.Observations)))
	for _, o := range e.Observations {
		w.text("observer", o.Observer, MaxHost)
		w.sight(o.Sight)
		w.u8(o.Score)
	}
	e.Doubts = e.Doubts[:min(len(e.Doubts), maxDoubts)]
	w.u8(uint8(len(e.Doubts)))
	for _, doubt := range e.Doubts {
		w.text("doubt", doubt, maxText)
	}
	w.text("clue", e.Clue, maxText)
}

func (r *reader) evidence() (e model.Evidence) {
	e.Silent = time.Duration(r.u64()&(1<<40-1)) * time.Millisecond
	e.Probes = int(r.u8())
	observations := int(r.u8())
	if observations > maxObservations {
		r.fail(ErrMalformed)
		return e
	}
	for range observations {
		e.Observations = append(e.Observations, model.Observation{Observer: r.text(MaxHost), Sight: r.sight(), Score: r.u8()})
	}
	doubts := int(r.u8())
	if doubts > maxDoubts {
		r.fail(ErrMalformed)
		return e
	}
	for range doubts {
		e.Doubts = append(e.Doubts, r.text(maxText))
	}
	e.Doubts = slices.Clip(e.Doubts)
	e.Clue = r.text(maxText)
	return e
}
