package delivery

import (
	"encoding/json"
	"math"

	"cassini/model"
	"cassini/model/scan"
)

// quickly reads a body as agents write it, in a fraction of what encoding/json takes. It is
// false where that has to look, which may find it good or bad. A test compares the two.
func quickly(raw []byte, numbered bool) (Body, bool) {
	r := reader{Scanner: scan.New(raw), numbered: numbered, rest: len(raw)}
	r.field, r.element = r.documentField, r.document
	r.Object(r.bodyField)
	return r.body, r.Done()
}

// reader reads one body.
type reader struct {
	scan.Scanner[[]byte]
	numbered bool
	rest     int // bytes of the body, which bound how many documents there are
	body     Body
	seen     fields // of the body
	doc      *model.Document
	has      fields   // of the document
	host     string   // of the document before
	packages []string // that have come, some of them
	// Methods as values are made once.
	field   func(key []byte)
	element func()
}

// fields are those that have come: one that comes twice is left to encoding/json.
type fields uint

const (
	fieldHost fields = 1 << iota
	fieldPackage
	fieldKey
	fieldTime
	fieldProgress
	fieldBody
	fieldIncarnation
	fieldSequence
	fieldDocuments
	fieldCheck
)

// first notes a field, and refuses the body where it has come before.
func (r *reader) first(of *fields, f fields) {
	if *of&f != 0 {
		r.Fail()
	}
	*of |= f
}

func (r *reader) bodyField(key []byte) {
	switch name := string(key); {
	case name == "host":
		r.first(&r.seen, fieldHost)
		r.body.Host = r.Unescaped()
	case name == "documents":
		r.first(&r.seen, fieldDocuments)
		r.documents()
	case name == "incarnation" && r.numbered:
		r.first(&r.seen, fieldIncarnation)
		r.body.Incarnation = model.Incarnation(r.Number(math.MaxUint64))
	case name == "sequence" && r.numbered:
		r.first(&r.seen, fieldSequence)
		r.body.Sequence = r.Number(math.MaxUint64)
	case name == "check" && r.numbered:
		r.first(&r.seen, fieldCheck)
		r.check()
	default:
		r.Fail()
	}
}

func (r *reader) check() {
	if text := r.Value(); !r.Failed() && json.Unmarshal(text, &r.body.Check) != nil {
		r.Fail()
	}
}

// ordinary is how many bytes a document has at least, as a rule.
const ordinary = 256

// atFirst is how many documents get room at once, at most.
const atFirst = 1024

func (r *reader) documents() {
	if r.Null() {
		return
	}
	r.body.Documents = make([]model.Document, 0, min(r.rest/ordinary+1, atFirst))
	r.Array(r.element)
}

func (r *reader) document() {
	if len(r.body.Documents) == MaxDocuments {
		r.Fail() // too many
		return
	}
	r.body.Documents = append(r.body.Documents, model.Document{})
	r.doc, r.has = &r.body.Documents[len(r.body.Documents)-1], 0
	r.Object(r.field)
}

func (r *reader) documentField(key []byte) {
	switch string(key) {
	case "host":
		r.first(&r.has, fieldHost)
		r.doc.Host = r.sameHost()
	case "package":
		r.first(&r.has, fieldPackage)
		r.doc.Package = r.samePackage()
	case "key":
		r.first(&r.has, fieldKey)
		r.doc.Key = r.Unescaped()
	case "time":
		r.first(&r.has, fieldTime)
		r.doc.Time = r.Time()
	case "progress":
		r.first(&r.has, fieldProgress)
		r.doc.Progress = r.Bool()
	case "body":
		r.first(&r.has, fieldBody)
		r.doc.Body = r.Value()
	default:
		r.Fail()
	}
}

// sameHost takes the name of a host, which is the same in all documents.
func (r *reader) sameHost() string {
	if text := r.Text(); string(text) != r.host {
		r.host = string(text)
	}
	return r.host
}

// maxPackages is how many names of packages are looked through, so that documents share one.
const maxPackages = 32

func (r *reader) samePackage() string {
	text := r.Text()
	for _, name := range r.packages {
		if string(text) == name {
			return name
		}
	}
	name := string(text)
	if len(r.packages) < maxPackages {
		r.packages = append(r.packages, name)
	}
	return name
}
