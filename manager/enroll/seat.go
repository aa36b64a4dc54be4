package enroll

import (
	"fmt"
	"net"
	"slices"

	"cassini/model"
	"cassini/model/claim"
)

// A host is called by its host name. Where another machine has that name, the later one is
// called NAME~2 and so on (model.Namesake), in its record and its certificate: what the first
// one told stays its own. What a machine says of itself proves nothing, so that it gets it
// nothing either: who is told to be the machine that has the name needs the same token as
// without this, and who is another one gets a name that nobody has.

// Known is what is known of a host besides its record: what its agent told of its machine,
// and whether it is up at this moment.
type Known struct {
	Machine model.Machine
	Live    bool
}

// seat is the name under which a machine joins. The lock is held.
func (a *Authority) seat(t Token, j JoinRequest, key string) string {
	if t.Host != "" {
		if a.nameOf(t.Host) == j.Host {
			return t.Host // somebody means it
		}
		return j.Host // which the token is not for
	}
	ids := a.names[j.Host]
	if again := slices.IndexFunc(ids, func(id string) bool { return a.hosts[id].again(t.ID, key) }); again >= 0 {
		return ids[again]
	}
	if j.Host == a.cfg.Host && !slices.Contains(ids, j.Host) {
		ids = append([]string{j.Host}, ids...) // the manager's own
	}
	if len(ids) == 0 {
		return j.Host
	}
	id, ok := claim.Choose(ids, func(id string) claim.Claim {
		is, revoked := a.claims(id, j), a.hosts[id].Revoked
		if id == j.Host && is == claim.Another && !revoked.IsZero() && t.Created.After(revoked) { // somebody took it away
			return claim.Untold
		}
		return is
	})
	if ok {
		return id
	}
	return a.freeName(j.Host, ids)
}

// freeName is what the next machine of a host name is called, which these have. The lock is held.
func (a *Authority) freeName(name string, ids []string) string {
	n := len(ids) + 1
	for a.hosts[model.Namesake(name, n)].Host != "" { // long names that are alike
		n++
	}
	return model.Namesake(name, n)
}

// nameOf is the host name of who is called so.
func (a *Authority) nameOf(id string) string {
	if r := a.hosts[id]; r.Host != "" {
		return r.name()
	}
	name, _ := model.CutNamesake(id)
	return name
}

// claims says what a machine that joins is to the one that is called so.
func (a *Authority) claims(id string, j JoinRequest) claim.Claim {
	has := model.Machine{}
	if m := a.hosts[id].Machine; m != nil {
		has = *m
	} else if id == a.cfg.Host {
		has = a.cfg.Machine
	}
	live := func() bool { return a.cfg.Known != nil && a.cfg.Known(id).Live }
	is := claim.Of(has, j.machine(), false, live)
	if is == claim.Untold && a.cfg.Known != nil {
		is = claim.Of(has.Over(a.cfg.Known(id).Machine), j.machine(), false, live)
	}
	return is
}

// index notes under which host name a record stands.
func (a *Authority) index(r Record) {
	if ids := a.names[r.name()]; !slices.Contains(ids, r.Host) {
		a.names[r.name()] = append(ids, r.Host)
	}
}

// unindex forgets it.
func (a *Authority) unindex(r Record) {
	ids := slices.DeleteFunc(slices.Clone(a.names[r.name()]), func(id string) bool { return id == r.Host })
	if a.names[r.name()] = ids; len(ids) == 0 {
		delete(a.names, r.name())
	}
}

func (j JoinRequest) machine() model.Machine {
	if j.Machine == nil {
		return model.Machine{}
	}
	return *j.Machine
}

// CheckMachine bounds what a machine says of itself. Errors wrap ErrInvalid.
func CheckMachine(m *model.Machine) error {
	if m == nil {
		return nil
	}
	const longest = 128 // bytes
	if len(m.MachineID) > longest || len(m.DMI) > longest || len(m.BootID) > longest || len(m.MACs) > model.MaxMACs {
		return fmt.Errorf("machine: %w: want up to %d bytes of each identifier and %d hardware addresses", ErrInvalid, longest, model.MaxMACs)
	}
	for _, mac := range m.MACs {
		if _, err := net.ParseMAC(mac); err != nil {
			return fmt.Errorf("machine: %w: hardware %w", ErrInvalid, err)
		}
	}
	return nil
}

// remember is the machine of a record after it said something of itself.
func (r Record) remember(m *model.Machine) *model.Machine {
	if m == nil || m.IsZero() {
		return r.Machine
	}
	now := *m
	if r.Machine != nil {
		now = now.Over(*r.Machine)
	}
	return &now
}
