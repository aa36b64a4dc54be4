package wire

import (
	"time"

	"cassini/model"
)

// maxMembers of one assignment, each written once and then named by its place.
const maxMembers = 16

// members is the table of those whom an assignment names; place 0 is nobody.
type members []model.RingMember

func (t *members) place(m model.RingMember) uint8 {
	if !m.Known() {
		return 0
	}
	for i, known := range *t {
		if known == m {
			return uint8(i + 1)
		}
	}
	*t = append(*t, m)
	return uint8(len(*t))
}

// restRoom is what the keys and places of an assignment take, as a rule, in bytes.
const restRoom = 512

func (w *writer) assignment(a *model.Assignment) {
	if a == nil {
		w.fail("assignment", ErrMalformed)
		return
	}
	table := make(members, 0, maxMembers)
	rest := writer{b: make([]byte, 0, restRoom)}
	for _, n := range []model.RingNeighbor{a.Next, a.Previous} {
		rest.u8(table.place(n.RingMember))
		rest.u8(table.place(n.Beyond))
		rest.keys(n.Keys)
	}
	for _, list := range [][]model.RingMember{a.Successors, a.Relays} {
		rest.u8(uint8(len(list)))
		for _, m := range list {
			rest.u8(table.place(m))
		}
	}
	rest.keys(a.Keys)
	for _, d := range []time.Duration{a.Profile.Interval, a.Profile.Silence, a.Profile.Window} {
		rest.u32(uint32(d / time.Millisecond))
	}
	w.text("ring", string(a.Ring), MaxHost)
	w.u64(uint64(a.Epoch))
	w.u8(boolByte(a.Gone))
	w.u8(uint8(len(table)))
	for _, m := range table {
		w.member(m)
	}
	w.b = append(w.b, rest.b...)
	if rest.err != nil {
		w.fail("assignment", rest.err)
	}
	if len(table) > maxMembers || len(a.Successors) > model.MaxSuccessors || len(a.Relays) > maxMembers {
		w.fail("members", ErrTooLong)
	}
}

func boolByte(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func (w *writer) keys(k model.KeySet) {
	if len(k.Keys) > model.MaxKeys {
		w.fail("keys", ErrTooLong)
		return
	}
	w.u8(uint8(len(k.Keys)))
	if len(k.Keys) == 0 {
		return
	}
	w.u8(k.Current)
	for _, key := range k.Keys {
		w.u8(key.ID)
		w.b = append(w.b, key.Secret[:]...)
	}
}

func (r *reader) keys() (k model.KeySet) {
	n := int(r.u8())
	if n > model.MaxKeys {
		r.fail(ErrMalformed)
	}
	if r.err != nil || n == 0 {
		return k
	}
	k.Current = r.u8()
	for range n {
		key := model.RingKey{ID: r.u8()}
		copy(key.Secret[:], r.take(len(key.Secret)))
		k.Keys = append(k.Keys, key)
	}
	return k
}

func (r *reader) assignment() *model.Assignment {
	a := &model.Assignment{Ring: model.RingID(r.text(MaxHost)), Epoch: model.Epoch(r.u64()), Gone: r.u8() == 1}
	n := int(r.u8())
	if n > maxMembers {
		r.fail(ErrMalformed)
		return a
	}
	table := make(members, 0, n)
	for range n {
		table = append(table, r.member())
	}
	a.Next, a.Previous = r.neighbor(table), r.neighbor(table)
	a.Successors, a.Relays = r.list(table, model.MaxSuccessors), r.list(table, maxMembers)
	a.Keys = r.keys()
	for _, d := range []*time.Duration{&a.Profile.Interval, &a.Profile.Silence, &a.Profile.Window} {
		*d = time.Duration(r.u32()) * time.Millisecond
	}
	return a
}

func (r *reader) neighbor(table members) model.RingNeighbor {
	return model.RingNeighbor{RingMember: r.place(table), Beyond: r.place(table), Keys: r.keys()}
}

func (r *reader) list(table members, limit int) (list []model.RingMember) {
	n := int(r.u8())
	if n > limit {
		r.fail(ErrMalformed)
		return nil
	}
	for range n {
		list = append(list, r.place(table))
	}
	return list
}

func (r *reader) place(table members) model.RingMember {
	i := int(r.u8())
	switch {
	case i == 0:
		return model.RingMember{}
	case i > len(table):
		r.fail(ErrMalformed)
		return model.RingMember{}
	}
	return table[i-1]
}
