package quick

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"cassini/model"
)

// AppendDependency writes what encoding/json writes of a dependency that does not escape
// HTML, in a fraction of the time. Its identifier may be given in parts instead. It fails as
// encoding/json does: where a time has no form in JSON.
func AppendDependency(b []byte, v *model.DependencyView, id ...string) ([]byte, error) {
	w := writer{text: b}
	w.raw(`{"id":`)
	if id == nil {
		w.string(v.ID)
	} else {
		w.parts(id)
	}
	w.party(`,"client":{`, &v.Client)
	w.party(`,"server":{`, &v.Server)
	w.field(`,"proto":`, v.Proto)
	w.count(`,"port":`, uint64(v.Port))
	w.some(`,"path":`, v.Path)
	w.some(`,"mntns_name":`, v.MntnsName)
	w.some(`,"socket_type":`, v.SocketType)
	w.some(`,"interface":`, v.Interface)
	w.counters(&v.Counters)
	if v.Quantiles != (model.Quantiles{}) {
		w.quantiles(&v.Quantiles)
	}
	if len(v.AskedAs) > 0 {
		w.value(`,"asked_as":`, v.AskedAs)
	}
	if len(v.Dialled) > 0 {
		w.value(`,"dialled":`, v.Dialled)
	}
	if len(v.TranslatedBy) > 0 {
		w.value(`,"translated_by":`, v.TranslatedBy)
	}
	w.seenBy(v.SeenBy)
	w.time(`,"first_seen":`, v.FirstSeen)
	w.time(`,"last_seen":`, v.LastSeen)
	w.raw("}")
	return w.text, w.err
}

// writer writes JSON. Names of fields come as they are written, with what stands around them.
type writer struct {
	text []byte
	err  error
}

func (w *writer) raw(s string) { w.text = append(w.text, s...) }

func (w *writer) party(begin string, p *model.Party) {
	w.raw(begin)
	w.names(p)
	w.raw(`,"pid":`)
	w.text = strconv.AppendInt(w.text, int64(p.PID), 10)
	w.raw(`,"addr":`)
	w.addr(p.Addr)
	if p.Where != nil {
		w.where(p.Where)
	}
	w.raw("}")
}

// names are the texts of a party: mostly all are plain, and are written with what stands between them.
func (w *writer) names(p *model.Party) {
	if !plainText(p.ID) || !plainText(p.Host) || !plainText(p.Exe) {
		w.field(`"id":`, p.ID)
		w.field(`,"host":`, p.Host)
		w.field(`,"exe":`, p.Exe)
		return
	}
	w.raw(`"id":"`)
	w.raw(p.ID)
	w.raw(`","host":"`)
	w.raw(p.Host)
	w.raw(`","exe":"`)
	w.raw(p.Exe)
	w.raw(`"`)
}

func (w *writer) where(p *model.Where) {
	w.raw(`,"where":`)
	begin := len(w.text)
	w.some(`,"unit":`, p.Unit)
	w.some(`,"slice":`, p.Slice)
	w.some(`,"scope":`, p.Scope)
	w.some(`,"session":`, p.Session)
	w.some(`,"login_uid":`, p.LoginUID)
	w.some(`,"container":`, p.Container)
	w.some(`,"container_id":`, p.ContainerID)
	w.some(`,"runtime":`, p.Runtime)
	w.some(`,"image":`, p.Image)
	w.some(`,"namespace":`, p.Namespace)
	w.some(`,"pod":`, p.Pod)
	w.some(`,"pod_container":`, p.PodContainer)
	w.some(`,"pod_uid":`, p.PodUID)
	w.some(`,"pod_qos":`, p.PodQoS)
	w.some(`,"project":`, p.Project)
	w.some(`,"project_service":`, p.ProjectService)
	if len(w.text) == begin {
		w.raw("{")
	} else {
		w.text[begin] = '{'
	}
	w.raw("}")
}

// counters are written in the order of their fields.
func (w *writer) counters(c *model.Counters) {
	w.count(`,"connections":`, c.Connections)
	w.positive(`,"adopted":`, c.Adopted)
	w.positive(`,"attempts":`, c.Attempts)
	w.count(`,"failed":`, c.Failed)
	w.positive(`,"refused":`, c.Refused)
	w.positive(`,"timed_out":`, c.TimedOut)
	w.positive(`,"unreachable":`, c.Unreachable)
	w.positive(`,"aborted":`, c.Aborted)
	w.count(`,"open":`, c.Open)
	w.count(`,"bytes_sent":`, c.BytesSent)
	w.count(`,"bytes_received":`, c.BytesReceived)
	w.positive(`,"retransmits":`, c.Retransmits)
	w.positive(`,"datagrams_sent":`, c.DatagramsSent)
	w.positive(`,"datagrams_received":`, c.DatagramsReceived)
	w.count(`,"rtt_microseconds":`, c.RTTMicros)
	w.positive(`,"closed":`, c.Closed)
	w.histogram(`,"rtt_histogram":`, c.RTTs)
	w.histogram(`,"lifetime_histogram":`, c.Lifetimes)
	w.histogram(`,"open_rtt_histogram":`, c.OpenRTTs)
	w.histogram(`,"open_age_histogram":`, c.OpenAges)
	if c.OpenTraffic != (model.Traffic{}) {
		w.value(`,"open_traffic":`, c.OpenTraffic)
	}
	if c.AdoptedTraffic != (model.Traffic{}) {
		w.value(`,"adopted_traffic":`, c.AdoptedTraffic)
	}
}

func (w *writer) quantiles(q *model.Quantiles) {
	w.positive(`,"rtt_p50_microseconds":`, q.RTTP50Micros)
	w.positive(`,"rtt_p95_microseconds":`, q.RTTP95Micros)
	w.positive(`,"rtt_p99_microseconds":`, q.RTTP99Micros)
	w.positive(`,"lifetime_p50_microseconds":`, q.LifetimeP50Micros)
	w.positive(`,"lifetime_p95_microseconds":`, q.LifetimeP95Micros)
	w.positive(`,"lifetime_p99_microseconds":`, q.LifetimeP99Micros)
}

func (w *writer) histogram(name string, h model.Histogram) {
	if h != "" {
		w.value(name, h)
	}
}

func (w *writer) count(name string, n uint64) {
	w.raw(name)
	if n < 10 { // most are
		w.text = append(w.text, '0'+byte(n))
		return
	}
	w.text = strconv.AppendUint(w.text, n, 10)
}

func (w *writer) positive(name string, n uint64) {
	if n > 0 {
		w.count(name, n)
	}
}

func (w *writer) some(name, s string) {
	if s != "" {
		w.field(name, s)
	}
}

func (w *writer) field(name, s string) {
	w.raw(name)
	w.string(s)
}

// seenBy writes which ends tell: the client's, the service's or both.
func (w *writer) seenBy(ends []string) {
	switch {
	case len(ends) == 1 && ends[0] == "client":
		w.raw(`,"seen_by":["client"]`)
	case len(ends) == 1 && ends[0] == "server":
		w.raw(`,"seen_by":["server"]`)
	case len(ends) == 2 && ends[0] == "client" && ends[1] == "server":
		w.raw(`,"seen_by":["client","server"]`)
	default:
		w.value(`,"seen_by":`, ends)
	}
}

// string writes plain texts at once, and leaves others to encoding/json.
func (w *writer) string(s string) {
	if !plainText(s) {
		w.encode(s)
		return
	}
	w.text = append(w.text, '"')
	w.raw(s)
	w.text = append(w.text, '"')
}

// parts writes a text that comes in parts.
func (w *writer) parts(list []string) {
	begin := len(w.text)
	w.text = append(w.text, '"')
	for _, s := range list {
		if !plainText(s) {
			w.text = w.text[:begin]
			w.encode(strings.Join(list, ""))
			return
		}
		w.raw(s)
	}
	w.text = append(w.text, '"')
}

func (w *writer) addr(a netip.Addr) {
	if a.Zone() != "" {
		w.encode(a)
		return
	}
	w.text = append(w.text, '"')
	if a.IsValid() {
		w.text = a.AppendTo(w.text)
	}
	w.text = append(w.text, '"')
}

func (w *writer) time(name string, t time.Time) {
	w.raw(name)
	w.text = append(w.text, '"')
	text, err := t.AppendText(w.text)
	if err != nil {
		w.fail(err)
		return
	}
	w.text = append(text, '"')
}

func (w *writer) value(name string, v any) {
	w.raw(name)
	w.encode(v)
}

func (w *writer) encode(v any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		w.fail(err)
		return
	}
	w.text = append(w.text, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = fmt.Errorf("encode a dependency: %w", err)
	}
}
