package watch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

// fact is one line of details. One without a text is left out.
type fact struct{ name, text string }

// detailLines are the details of one row, the part of them that is scrolled to.
func (m *Model) detailLines() []string {
	const names = 16
	var lines []string
	for _, f := range m.facts() {
		if f.text == "" {
			continue
		}
		name := f.name
		for _, part := range wrap(output.Clean(bound(f.text, maxFact)), max(1, m.limit()-names)) {
			lines = append(lines, m.line(output.Plain, fmt.Sprintf("%-*s%s", names, name, part)))
			name = ""
		}
	}
	if m.height > 0 {
		m.scroll = max(0, min(m.scroll, len(lines)-m.body()))
	}
	return lines[m.scroll:]
}

// facts are all that is known of the row.
func (m *Model) facts() []fact {
	if d := m.dependencies[m.details]; d != nil {
		return m.dependencyFacts(d)
	}
	if s := m.services[m.details]; s != nil {
		return append([]fact{{"service", s.ID}}, m.serviceFacts(s)...)
	}
	for _, h := range m.picture.Hosts {
		if hostID(h) == m.details {
			return m.hostFacts(h)
		}
	}
	for _, i := range m.picture.Incidents {
		if incidentID(i) == m.details {
			return m.incidentFacts(i)
		}
	}
	return []fact{{"gone", "this is no longer told of"}}
}

func (m *Model) dependencyFacts(d *dependency) []fact {
	r := d.rates
	facts := []fact{{"client", d.Client.ID}}
	facts = append(facts, m.clientFacts(d)...)
	facts = append(facts, fact{"server", d.Server.ID})
	if s := m.services[d.Server.ID]; s != nil {
		facts = append(facts, m.serviceFacts(s)...)
	} else {
		facts = append(facts, fact{"  program", process(d.Server.Exe, d.Server.PID)})
	}
	rates := "not known yet"
	if r.Known {
		rates = fmt.Sprintf("%s conn/s, %s fail/s, %s B/s sent, %s B/s received", number(r.Connections), number(r.Failures), size(r.ToServer), size(r.FromServer))
	}
	bytes, datagrams := moved(d.DependencyView)
	return append(facts,
		fact{"dialled", through(d.DependencyView)},
		fact{"address", view.ServerEndpoint(d.DependencyView)}, fact{"interface", d.Interface}, fact{"rates", rates},
		fact{"connections", fmt.Sprintf("%s, open now: %s, open when the agent began: %s", output.Count(d.Connections), output.Count(d.Open), output.Count(d.Adopted))},
		fact{"failed", cmp.Or(view.Failures(d.Counters), "none")},
		fact{"bytes", bytes}, fact{"datagrams", datagrams},
		fact{"RTT", output.Micros(d.RTTMicros)}, fact{"RTT p50/p95/p99", view.RTTs(d.Quantiles)},
		fact{"lifetime", view.Lifetimes(d.Quantiles)},
		fact{"first seen", m.moment(d.FirstSeen)}, fact{"last seen", m.moment(d.LastSeen)}, fact{"told by", strings.Join(d.SeenBy, " and ")})
}

// moved tells what went to the server and came from it, whichever end tells; "" of what nothing counts.
func moved(d model.DependencyView) (bytes, datagrams string) {
	c, told := countsOf(d), d.Counters
	if !c.byClient {
		told.DatagramsSent, told.DatagramsReceived = told.DatagramsReceived, told.DatagramsSent
	}
	if d.TellBytes(d.Proto) {
		bytes = fmt.Sprintf("%s sent, %s received, %s segments again", output.Bytes(c.toServer), output.Bytes(c.fromServer), output.Count(d.Retransmits))
	}
	return bytes, view.Datagrams(told)
}

// through is which address a client dials where another one answers, and who sees to that.
func through(d model.DependencyView) string {
	text := view.Dialled(d)
	if len(d.TranslatedBy) > 0 && text != "" {
		text += ", translated by " + strings.Join(d.TranslatedBy, " and ")
	}
	return text
}

// clientFacts tell of a client what its node tells, once that was asked for.
func (m *Model) clientFacts(d *dependency) []fact {
	facts := []fact{{"  program", process(d.Client.Exe, d.Client.PID)}}
	if m.picture.Client == nil || m.picture.Client.ID != d.Client.ID {
		return facts
	}
	a := attrsOf(m.picture.Client)
	return append(facts, fact{"  command", output.Command(a.Cmdline)}, fact{"  owner", owner(a.Process)},
		fact{"  directory", a.Cwd}, fact{"  unit", a.Unit}, fact{"  cgroup", a.Cgroup})
}

// owned is what a node tells of a process.
type owned struct {
	model.Process
	Unit string `json:"unit"`
}

// attrsOf reads the attributes of a node; those of another shape are left out.
func attrsOf(n *model.Node) (o owned) {
	raw, err := json.Marshal(n.Attrs)
	if err != nil || json.Unmarshal(raw, &o) != nil {
		return owned{}
	}
	return o
}

func (m *Model) serviceFacts(s *service) []fact {
	began := m.moment(s.Since)
	if s.SinceApprox {
		began += ", or before"
	}
	facts := []fact{
		{"  program", process(s.Exe, s.PID)}, {"  command", output.Command(s.Cmdline)}, {"  owner", owner(s.Process)},
		{"  directory", s.Cwd}, {"  cgroup", s.Cgroup}, {"  listens on", everyAddress(s.Service)},
		{"  since", began}, {"  state", s.State},
	}
	if s.Ended != nil {
		facts = append(facts, fact{"  ended", m.moment(*s.Ended)})
	}
	return facts
}

func everyAddress(s model.Service) string {
	switch {
	case s.Proto == model.ProtoUnix:
		return view.UnixEndpoint(s.UnixName, s.NetnsName)
	case model.IsTap(s.Proto):
		return view.Hears(s, model.MaxTapInterfaces)
	}
	var all []string
	for _, a := range s.Addrs {
		all = append(all, view.Endpoint(a, s.Port, s.Proto, s.NetnsName))
	}
	return strings.Join(all, " ")
}

func process(exe string, number int) string {
	switch {
	case exe == "":
		return "not known"
	case number == 0:
		return exe
	}
	return fmt.Sprintf("%s (pid %d)", exe, number)
}

func owner(p model.Process) string {
	if p.UID == "" {
		return ""
	}
	return p.UID + ":" + p.GID
}

func (m *Model) hostFacts(h model.HostLiveness) []fact {
	var rings []string
	for _, r := range h.Rings {
		rings = append(rings, string(r))
	}
	return []fact{
		{"host", h.Host}, {"state", h.State}, {"since", m.moment(h.Since)}, {"hears at", h.Addr.String()}, {"zone", h.Zone},
		{"rings", strings.Join(rings, " ")}, {"watched by", strings.Join(h.WatchedBy, " ")}, {"waits in", h.Watch},
	}
}

func (m *Model) incidentFacts(i model.Incident) []fact {
	facts := []fact{
		{"incident", i.Summary}, {"kind", string(i.Kind)}, {"severity", i.Severity}, {"state", i.State}, {"opened", m.moment(i.Opened)},
		{"closed", m.moment(i.Closed)}, {"of", strings.Join(i.Subjects, " ")}, {"back", strings.Join(i.Back, " ")}, {"part of", i.Into},
	}
	return append(facts, fact{"reports", fmt.Sprint(len(i.Reports) + i.More)})
}

// moment is a time with how long ago it was; "" for the zero time.
func (m *Model) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(m.cfg.Zone).Format(time.DateTime) + ", " + output.Ago(t, m.picture.At)
}
