package answer

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// message builds an answer to a question for A of name.
func message(t testing.TB, name string, edit func(*dnsmessage.Message), records ...dnsmessage.Resource) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 1, Response: true, RecursionAvailable: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Answers:   records,
	}
	if edit != nil {
		edit(&m)
	}
	raw, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func header(name string, kind dnsmessage.Type, ttl uint32) dnsmessage.ResourceHeader {
	return dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET, TTL: ttl}
}

func a(name, addr string, ttl uint32) dnsmessage.Resource {
	ip := netip.MustParseAddr(addr)
	if ip.Is4() {
		return dnsmessage.Resource{Header: header(name, dnsmessage.TypeA, ttl), Body: &dnsmessage.AResource{A: ip.As4()}}
	}
	return dnsmessage.Resource{Header: header(name, dnsmessage.TypeAAAA, ttl), Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}}
}

func cname(name, target string, ttl uint32) dnsmessage.Resource {
	return dnsmessage.Resource{Header: header(name, dnsmessage.TypeCNAME, ttl), Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(target)}}
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"one address":             {message(t, "Www.Example.COM.", nil, a("www.example.com.", "93.184.216.34", 300)), "www.example.com www.example.com [93.184.216.34] 300"},
		"IPv6":                    {message(t, "v6.example.", nil, a("v6.example.", "2001:db8::1", 60)), "v6.example v6.example [2001:db8::1] 60"},
		"v4-mapped":               {message(t, "x.example.", nil, a("x.example.", "::ffff:192.0.2.1", 60)), "x.example x.example [192.0.2.1] 60"},
		"aliases, in any order":   {message(t, "a.example.", nil, a("c.example.", "192.0.2.1", 20), cname("b.example.", "C.example.", 5), cname("a.example.", "b.example.", 600), a("c.example.", "192.0.2.2", 20)), "a.example c.example [192.0.2.1 192.0.2.2] 5"},
		"others' addresses":       {message(t, "a.example.", nil, a("bank.example.", "192.0.2.66", 20), a("a.example.", "192.0.2.1", 20)), "a.example a.example [192.0.2.1] 20"},
		"addresses of nobody":     {message(t, "a.example.", nil, a("a.example.", "0.0.0.0", 1), a("a.example.", "127.0.0.1", 1), a("a.example.", "224.0.0.1", 1), a("a.example.", "255.255.255.255", 1), a("a.example.", "fe80::1", 1), a("a.example.", "10.0.0.1", 9)), "a.example a.example [10.0.0.1] 9"},
		"an underscore":           {message(t, "_x.example.", nil, a("_x.example.", "192.0.2.1", 1)), "_x.example _x.example [192.0.2.1] 1"},
		"cut short, what is left": {message(t, "a.example.", func(m *dnsmessage.Message) { m.Truncated = true }, a("a.example.", "192.0.2.1", 1), a("a.example.", "192.0.2.2", 1))[:50], "a.example a.example [192.0.2.1] 1"},
	} {
		got, err := Parse(c.raw)
		if text := fmt.Sprint(got.Name, " ", got.Canonical, " ", got.Addrs, " ", got.TTL); err != nil || text != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, text, c.want)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	good := a("a.example.", "192.0.2.1", 1)
	edit := func(f func(*dnsmessage.Message)) []byte { return message(t, "a.example.", f, good) }
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"a question":        {edit(func(m *dnsmessage.Message) { m.Response = false }), ErrNoAnswer},
		"an update":         {edit(func(m *dnsmessage.Message) { m.OpCode = 5 }), ErrNoAnswer},
		"no such name":      {edit(func(m *dnsmessage.Message) { m.RCode = dnsmessage.RCodeNameError }), ErrNoAnswer},
		"another type":      {edit(func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeMX }), ErrNoAnswer},
		"another class":     {edit(func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }), ErrNoAnswer},
		"empty":             {message(t, "a.example.", nil), ErrNoAnswer},
		"aliases in a ring": {message(t, "a.example.", nil, cname("a.example.", "b.example.", 1), cname("b.example.", "a.example.", 1)), ErrNoAnswer},
		"the root":          {message(t, ".", nil, a(".", "192.0.2.1", 1)), ErrMalformed},
		"two questions":     {edit(func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }), ErrMalformed},
		"no question":       {edit(func(m *dnsmessage.Message) { m.Questions = nil }), ErrMalformed},
		"cut":               {edit(nil)[:40], ErrMalformed},
		"nothing":           {nil, ErrMalformed},
		"escape sequences":  {message(t, "\x1b[31m.example.", nil, a("\x1b[31m.example.", "192.0.2.1", 1)), ErrMalformed},
	} {
		if got, err := Parse(c.raw); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
}

// An answer with more than anybody needs costs no more than the limit.
func TestLimits(t *testing.T) {
	var records []dnsmessage.Resource
	for i := range 500 {
		records = append(records, a("a.example.", fmt.Sprintf("192.0.%d.%d", i/256, i%256), 1))
	}
	got, err := Parse(message(t, "a.example.", nil, records...))
	if err != nil || len(got.Addrs) > maxRecords || len(got.Addrs) == 0 {
		t.Errorf("%v, %d addresses", err, len(got.Addrs))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(message(f, "a.example.", nil, cname("a.example.", "b.example.", 1), a("b.example.", "192.0.2.1", 1)))
	f.Add(message(f, "v6.example.", nil, a("v6.example.", "2001:db8::1", 60)))
	f.Add([]byte{0, 1, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1}) // a name that points at itself
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Parse(raw)
		if err != nil {
			if !errors.Is(err, ErrNoAnswer) && !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v", err)
			}
			return
		}
		if got.Name == "" || got.Canonical == "" || len(got.Addrs) == 0 || len(got.Addrs) > maxRecords {
			t.Errorf("got %+v", got)
		}
		for _, addr := range got.Addrs {
			if !meansHost(addr) {
				t.Errorf("address %s", addr)
			}
		}
		if strings.ContainsAny(got.Name+got.Canonical, "\x00\x1b\n\"\\ ") {
			t.Errorf("names %q, %q", got.Name, got.Canonical)
		}
	})
}
