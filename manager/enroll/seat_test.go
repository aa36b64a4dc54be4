package enroll

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/model"
)

// box is a machine as it tells of itself, the n-th of an estate.
func box(n int) *model.Machine {
	return &model.Machine{MachineID: fmt.Sprintf("%032x", n), DMI: fmt.Sprintf("dmi-%d", n), BootID: fmt.Sprintf("boot-%d", n), MACs: []string{fmt.Sprintf("02:00:00:00:00:%02x", n)}}
}

// reinstalled is the same machine with another system.
func reinstalled(m *model.Machine) *model.Machine {
	return &model.Machine{MachineID: "of another system", DMI: m.DMI, BootID: "later", MACs: m.MACs}
}

// seated joins a machine by a fresh token, and says what it is called then.
func seated(t *testing.T, a *Authority, r TokenRequest, name string, m *model.Machine, now time.Time) (string, error) {
	t.Helper()
	r.Role = RoleAgent
	j, err := a.Join(token(t, a, r, now), JoinRequest{Host: name, Machine: m, Request: request(t, nil)}, now)
	if err != nil {
		return "", err
	}
	cert := certOf(t, j)
	who, err := a.whose(cert, now)
	if err != nil || who.Host != j.Host || cert.Subject.CommonName != name || cert.URIs[0].String() != "cassini://agent/"+j.Host {
		t.Errorf("%s: its certificate is for %v %v, of %v, %v", j.Host, cert.URIs, cert.Subject, who, err)
	}
	return j.Host, nil
}

func TestMachinesOfOneName(t *testing.T) {
	later := start.Add(2 * DefaultLife) // the certificates have ended
	type step struct {
		token TokenRequest
		name  string
		m     *model.Machine
		at    time.Time
		want  string // what it is called then, or in its error
		err   error
	}
	for title, tc := range map[string]struct {
		known  func(host string) Known
		revoke string // after the first two steps
		steps  []step
	}{
		"each gets a name of its own": {steps: []step{
			{m: box(1), want: "debian"}, {m: box(2), want: "debian~2"}, {m: box(3), want: "debian~3"}, {name: "web-1", m: box(4), want: "web-1"},
		}},
		"a clone of the first": {steps: []step{
			{m: box(1), want: "debian"},
			{m: &model.Machine{MachineID: box(1).MachineID, DMI: "dmi-2", MACs: box(2).MACs}, want: "debian~2"},
		}},
		"a reinstalled machine does not get a second name": {steps: []step{
			{m: box(1), want: "debian"}, {m: reinstalled(box(1)), want: "--host debian'", err: ErrTaken},
			{token: TokenRequest{Host: "debian"}, m: reinstalled(box(1)), want: "debian"},
		}},
		"and gets its old one back where it is free": {steps: []step{
			{m: box(1), want: "debian"}, {m: box(2), want: "debian~2"},
			{m: reinstalled(box(1)), at: later, want: "debian"}, {m: reinstalled(box(2)), at: later, want: "debian~2"},
		}},
		"a later one that lost its data directory": {steps: []step{
			{m: box(1), want: "debian"}, {m: box(2), want: "debian~2"}, {m: box(2), want: "--host debian~2'", err: ErrTaken},
			{token: TokenRequest{Host: "debian~2"}, m: box(2), want: "debian~2"},
		}},
		"a token for a name is for machines of that host name": {steps: []step{
			{m: box(1), want: "debian"}, {m: box(2), want: "debian~2"},
			{token: TokenRequest{Host: "debian~2"}, name: "web-1", m: box(2), want: "for host debian~2 alone", err: ErrForbidden},
			{token: TokenRequest{Host: "debian"}, m: box(3), want: "debian"}, // it replaces the first, in words
		}},
		"no name is free because its certificate has ended": {steps: []step{
			{m: box(1), want: "debian"}, {m: box(2), at: later, want: "debian~2"}, {m: box(1), at: later, want: "debian"},
		}},
		"a name that was taken away is the next one's": {revoke: "debian", steps: []step{
			{m: box(1), want: "debian"}, {m: box(2), want: "debian~2"}, {m: box(3), at: later, want: "debian"},
		}},
		"but not with a token of before": {revoke: "debian", steps: []step{
			{m: box(1), want: "debian"}, {m: box(2), want: "debian~2"}, {m: box(3), want: "debian~3"}, {m: box(1), want: "revoked at", err: ErrRevoked},
		}},
		"nor a later one's": {revoke: "debian~2", steps: []step{
			{m: box(1), want: "debian"}, {m: box(2), want: "debian~2"}, {m: box(3), at: later, want: "debian~3"},
		}},
		"older agents are refused as ever": {steps: []step{
			{want: "debian"}, {want: "--host debian'", err: ErrTaken}, {m: box(2), want: "--host debian'", err: ErrTaken}, {at: later, want: "debian"},
		}},
		"an older record of which the documents tell": {
			known: func(string) Known { return Known{Machine: *box(1)} },
			steps: []step{{want: "debian"}, {m: box(2), want: "debian~2"}, {m: box(1), want: "--host debian'", err: ErrTaken}},
		},
		"another card, while the first is up": {
			known: func(string) Known { return Known{Live: true} },
			steps: []step{{m: box(1), want: "debian"}, {m: &model.Machine{DMI: "dmi-1", MACs: box(2).MACs}, want: "debian~2"}},
		},
		"the manager's own name": {steps: []step{
			{name: "manager", m: box(1), want: "manager~2"}, {name: "manager", m: box(2), want: "manager~3"}, {name: "manager", m: box(99), want: "manager"}, {name: "manager", m: box(1), at: later, want: "manager~2"},
		}},
		"tenants": {steps: []step{
			{token: TokenRequest{Tenant: "red"}, m: box(1), want: "debian"}, {token: TokenRequest{Tenant: "blue"}, m: box(2), want: "debian~2"},
			{token: TokenRequest{Tenant: "blue"}, m: box(1), want: "not as one of tenant blue", err: ErrTaken},
		}},
		"the longest names": {steps: []step{
			{name: strings.Repeat("x", 63) + "a", m: box(1), want: strings.Repeat("x", 63) + "a"}, {name: strings.Repeat("x", 63) + "b", m: box(2), want: strings.Repeat("x", 63) + "b"},
			{name: strings.Repeat("x", 63) + "a", m: box(3), want: strings.Repeat("x", 62) + "~2"}, {name: strings.Repeat("x", 63) + "b", m: box(4), want: strings.Repeat("x", 62) + "~3"},
		}},
		"nonsense": {steps: []step{
			{m: &model.Machine{MachineID: strings.Repeat("x", 200)}, want: "want up to", err: ErrInvalid}, {m: &model.Machine{MACs: []string{"x"}}, want: "hardware", err: ErrInvalid},
			{name: "debian~2", m: box(1), want: "host name", err: ErrInvalid},
		}},
	} {
		t.Run(title, func(t *testing.T) {
			dir := t.TempDir()
			var a *Authority
			for n, s := range tc.steps {
				if a != nil {
					_ = a.Close() // each step after another start
				}
				var err error
				if a, err = Open(Config{Dir: dir, Host: "manager", Machine: *box(99), Known: tc.known}, start); err != nil {
					t.Fatal(err)
				}
				if n == 2 && tc.revoke != "" {
					if _, err := a.Revoke(tc.revoke, "", start.Add(time.Minute)); err != nil {
						t.Fatal(err)
					}
				}
				if s.name == "" {
					s.name = "debian"
				}
				if s.at.IsZero() {
					s.at = start
				}
				got, err := seated(t, a, s.token, s.name, s.m, s.at)
				if s.err == nil && (err != nil || got != s.want) || s.err != nil && (!errors.Is(err, s.err) || !strings.Contains(err.Error(), s.want)) {
					t.Errorf("step %d: %q, %v; want %q, %v", n+1, got, err, s.want, s.err)
				}
			}
			_ = a.Close()
		})
	}
}

// TestJoinAtOnce joins many machines of one name at one time, each twice with one key, as
// those do whose first answer was lost.
func TestJoinAtOnce(t *testing.T) {
	const machines = 20
	a := open(t, t.TempDir(), start)
	text := token(t, a, TokenRequest{Role: RoleAgent, Limit: machines}, start)
	names := make([][2]string, machines)
	var all sync.WaitGroup
	for n := range machines {
		key := newKey(t)
		for try := range 2 {
			all.Go(func() {
				j, err := a.Join(text, JoinRequest{Host: "debian", Machine: box(n), Request: request(t, key)}, start)
				if err != nil {
					t.Error(err)
					return
				}
				names[n][try] = j.Host
			})
		}
	}
	all.Wait()
	seen := map[string]bool{}
	for n, pair := range names {
		if pair[0] != pair[1] || seen[pair[0]] {
			t.Errorf("machine %d is called %v", n, pair)
		}
		seen[pair[0]] = true
	}
	uses := 0
	for _, k := range a.Tokens() {
		uses += k.Uses
	}
	if hosts := a.Hosts(); len(hosts) != machines || uses != machines || !seen["debian"] || !seen["debian~20"] {
		t.Errorf("%d hosts by %d uses: %v", len(hosts), uses, seen)
	}
}

// TestRenewTellsMachine: what a machine could not say when it joined, it says later.
func TestRenewTellsMachine(t *testing.T) {
	a := open(t, t.TempDir(), start)
	j, err := a.Join(token(t, a, TokenRequest{Role: RoleAgent}, start), JoinRequest{Host: "debian", Machine: &model.Machine{MachineID: box(1).MachineID, MACs: box(1).MACs}, Request: request(t, nil)}, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Renew(certOf(t, j), JoinRequest{Machine: &model.Machine{DMI: "dmi-1", BootID: "boot-1"}, Request: request(t, nil)}, start); err != nil {
		t.Fatal(err)
	}
	m := a.Hosts()[0].Machine
	if m == nil || m.MachineID != box(1).MachineID || m.DMI != "dmi-1" || m.BootID != "boot-1" || !slices.Equal(m.MACs, box(1).MACs) {
		t.Errorf("it is remembered as %+v", m)
	}
}
