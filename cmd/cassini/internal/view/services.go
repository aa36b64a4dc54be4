package view

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Services lays out services: those that listen first, each group by host and
// port, behind them packet and raw sockets, then Unix-domain sockets. Where they live has columns when that is known of any.
func Services(services []model.Service, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "SERVICE"}, {Title: "ADDRESS"}, {Title: "PID", Right: true}, {Title: "WORKERS"}, {Title: "USER"},
		{Title: "STATE"}, {Title: "SINCE"}, {Title: "LIVES IN", Flex: true}, {Title: "IMAGE", Flex: true, Optional: true},
		{Title: "EXE", Flex: true, Optional: true}, {Title: "CWD", Flex: true, Optional: true}, {Title: "COMMAND", Flex: true},
	}}
	sorted := slices.SortedStableFunc(slices.Values(services), func(a, b model.Service) int {
		return cmp.Or(cmp.Compare(ended(a), ended(b)), cmp.Compare(a.Host, b.Host), cmp.Compare(local(a), local(b)), cmp.Compare(a.Port, b.Port), cmp.Compare(a.ID, b.ID))
	})
	for _, s := range sorted {
		table.Add(serviceStyle(s), serviceRow(s, now)...)
	}
	return table.DropEmpty("WORKERS", "LIVES IN", "IMAGE")
}

func ended(s model.Service) int {
	if s.State == model.StateEnded {
		return 1
	}
	return 0
}

func local(s model.Service) int {
	switch {
	case s.Proto == model.ProtoUnix:
		return 2
	case model.IsTap(s.Proto):
		return 1
	}
	return 0
}

func serviceStyle(s model.Service) output.Style {
	if s.State == model.StateEnded {
		return output.Dim
	}
	return output.Plain
}

func serviceRow(s model.Service, now time.Time) []output.Cell {
	state := output.Cell{Text: s.State}
	if s.State == model.StateListening {
		state.Style = output.Green
	}
	return []output.Cell{
		{Text: Short(s.ID)}, {Text: ListensOn(s)}, {Text: PID(s.PID)}, {Text: Workers(s.Accepts, 3)}, {Text: s.UID},
		state, {Text: since(s, now)}, {Text: s.Where.Label()}, {Text: image(s.Where)}, {Text: s.Exe}, {Text: s.Cwd}, {Text: output.Command(s.Cmdline)},
	}
}

// ListensOn shows up to two addresses, and how many more there are.
func ListensOn(s model.Service) string {
	switch {
	case s.Proto == model.ProtoUnix:
		return UnixEndpoint(s.UnixName, s.NetnsName)
	case model.IsTap(s.Proto):
		return Hears(s, 2)
	}
	list := s.Addrs
	if len(list) == 0 {
		list = append(list, s.Addr)
	}
	var shown []string
	for _, a := range list[:min(len(list), 2)] {
		shown = append(shown, Endpoint(a, s.Port, s.Proto, s.NetnsName))
	}
	if more := len(list) - len(shown); more > 0 {
		shown = append(shown, "+"+strconv.Itoa(more))
	}
	if len(s.Interfaces) > 0 {
		shown = append(shown, "on "+strings.Join(s.Interfaces, " "))
	}
	return strings.Join(shown, " ")
}

// Hears is what packet and raw sockets hear, on which interfaces, and of those so many at
// most with how many more there are.
func Hears(s model.Service, most int) string {
	text := s.Proto + ":" + s.Hears
	if s.NetnsName != "" {
		text += "@" + s.NetnsName
	}
	on := slices.Clone(s.Interfaces)
	for _, a := range s.Bound {
		on = append(on, a.String())
	}
	if len(on) > 0 {
		text += " on " + strings.Join(on[:min(len(on), most)], " ")
	}
	if more := len(on) - most; more > 0 {
		text += " +" + strconv.Itoa(more)
	}
	if s.Promiscuous {
		text += " promiscuous"
	}
	return text
}

// Workers shows which processes accepted how many connections, so many of them, and how
// many more there are.
func Workers(a model.Accepts, most int) string {
	most = min(most, len(a.Workers))
	var list []string
	for _, w := range a.Workers[:most] {
		list = append(list, strconv.Itoa(w.PID)+":"+strconv.FormatUint(w.Accepted, 10))
	}
	if more := len(a.Workers) - most + a.WorkersMore; more > 0 {
		list = append(list, "+"+strconv.Itoa(more))
	}
	return strings.Join(list, " ")
}

// image is what a container was made from, without the registry that is meant when none
// is named.
func image(w *model.Where) string {
	if w == nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimPrefix(w.Image, "docker.io/"), "library/")
}

// PID shows a process number; the kernel and the unknown have none.
func PID(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// since shows when a service began to listen, or when it ended. "~" marks what
// is older than the agent: it began no earlier than that.
func since(s model.Service, now time.Time) string {
	switch {
	case s.State == model.StateEnded && s.Ended != nil:
		return output.Ago(*s.Ended, now)
	case s.SinceApprox:
		return "~" + output.Ago(s.Since, now)
	}
	return output.Ago(s.Since, now)
}
