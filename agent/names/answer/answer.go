// Package answer decodes answers of the domain name system (RFC 1035): which addresses
// a name was given, through aliases. It is pure, bounded, and takes nothing from an
// answer that its question did not ask for.
package answer

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Errors of Parse.
var (
	// ErrNoAnswer marks a message that gives no address: a question, another type, a
	// refusal, an empty answer.
	ErrNoAnswer = errors.New("the message gives no address")
	// ErrMalformed marks one that cannot be decoded, or that no honest server sends.
	ErrMalformed = errors.New("malformed DNS message")
)

// Limits of one answer: what is beyond is left out.
const (
	maxRecords = 64
	maxAliases = 16
)

// Answer is what one name was found to be.
type Answer struct {
	Name      string       // as it was asked, in lower case, without the dot at its end
	Canonical string       // the end of its aliases; the same where there are none
	Addrs     []netip.Addr // that a host elsewhere can have
	TTL       uint32       // seconds; the least on the way
}

// record is an alias or an address under a name.
type record struct {
	owner, alias string
	addr         netip.Addr
	ttl          uint32
}

// Parse decodes the payload of a datagram. Errors wrap ErrNoAnswer or ErrMalformed.
func Parse(payload []byte) (Answer, error) {
	var p dnsmessage.Parser
	header, err := p.Start(payload)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !header.Response || header.OpCode != 0 || header.RCode != dnsmessage.RCodeSuccess {
		return Answer{}, ErrNoAnswer
	}
	name, err := question(&p)
	if err != nil {
		return Answer{}, err
	}
	records, err := read(&p)
	if err != nil && !header.Truncated { // one that was cut short has its last record cut
		return Answer{}, err
	}
	a := follow(name, records)
	if len(a.Addrs) == 0 {
		return Answer{}, ErrNoAnswer
	}
	return a, nil
}

// question is the one name that was asked for its addresses.
func question(p *dnsmessage.Parser) (string, error) {
	q, err := p.Question()
	if err != nil {
		return "", fmt.Errorf("%w: question: %w", ErrMalformed, err)
	}
	if q.Class != dnsmessage.ClassINET || q.Type != dnsmessage.TypeA && q.Type != dnsmessage.TypeAAAA && q.Type != dnsmessage.TypeALL {
		return "", ErrNoAnswer
	}
	if _, err := p.Question(); !errors.Is(err, dnsmessage.ErrSectionDone) {
		return "", fmt.Errorf("%w: more than one question", ErrMalformed) // RFC 9619
	}
	name, ok := text(q.Name)
	if !ok {
		return "", fmt.Errorf("%w: a name that no host has", ErrMalformed)
	}
	return name, nil
}

// read reads the aliases and addresses of the answer section.
func read(p *dnsmessage.Parser) (records []record, err error) {
	for range maxRecords {
		h, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return records, nil
		}
		if err != nil {
			return records, fmt.Errorf("%w: answer: %w", ErrMalformed, err)
		}
		r, err := body(p, h)
		if err != nil {
			return records, fmt.Errorf("%w: answer: %w", ErrMalformed, err)
		}
		if r.owner != "" {
			records = append(records, r)
		}
	}
	return records, nil
}

// body reads one record. Its owner is "" where it is of no use.
func body(p *dnsmessage.Parser, h dnsmessage.ResourceHeader) (r record, err error) {
	owner, ok := text(h.Name)
	if !ok || h.Class != dnsmessage.ClassINET {
		return r, p.SkipAnswer()
	}
	r.ttl = h.TTL
	switch h.Type {
	case dnsmessage.TypeCNAME:
		target, err := p.CNAMEResource()
		if err != nil {
			return record{}, err
		}
		if r.alias, ok = text(target.CNAME); !ok {
			return record{}, nil
		}
	case dnsmessage.TypeA:
		a, err := p.AResource()
		if err != nil {
			return record{}, err
		}
		r.addr = netip.AddrFrom4(a.A)
	case dnsmessage.TypeAAAA:
		a, err := p.AAAAResource()
		if err != nil {
			return record{}, err
		}
		r.addr = netip.AddrFrom16(a.AAAA).Unmap()
	default:
		return r, p.SkipAnswer()
	}
	r.owner = owner
	return r, nil
}

// follow goes from a name along its aliases to its addresses, whatever the order of
// records. Addresses under other names are left out.
func follow(name string, records []record) Answer {
	a := Answer{Name: name, Canonical: name, TTL: ^uint32(0)}
	alias := func() (record, bool) {
		for _, r := range records {
			if r.owner == a.Canonical && r.alias != "" {
				return r, true
			}
		}
		return record{}, false
	}
	for range maxAliases {
		r, ok := alias()
		if !ok {
			break
		}
		a.Canonical, a.TTL = r.alias, min(a.TTL, r.ttl)
	}
	for _, r := range records {
		if r.owner == a.Canonical && meansHost(r.addr) {
			a.Addrs, a.TTL = append(a.Addrs, r.addr), min(a.TTL, r.ttl)
		}
	}
	return a
}

// meansHost says whether an address can be another host's.
func meansHost(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() && !a.IsLinkLocalUnicast() &&
		a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// text is a name in lower case, without the dot at its end; false where it has what no
// name of a host has. Underscores and international names as they stand are common.
func text(n dnsmessage.Name) (string, bool) {
	s := strings.ToLower(strings.TrimSuffix(n.String(), "."))
	bad := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"\`, r) }
	return s, s != "" && !strings.ContainsFunc(s, bad)
}
