package graph

import (
	"runtime"
	"sync/atomic"
	"time"

	"cassini/manager/quick"
	"cassini/model"
)

// Decoded is a document of the log with its body decoded, ready to be applied. It belongs
// to one graph at a time, which may keep parts of it.
type Decoded struct {
	model.Name
	Time     time.Time // of the document
	Progress bool

	key  string    // of the log
	at   time.Time // when the manager had it
	gone bool
	body any // a pointer to what the package has; nil when that could not be decoded
}

// Gone reports whether the document says that its thing is forgotten.
func (d *Decoded) Gone() bool { return d.gone }

// Decode decodes the document that stands in the log under logKey. It needs no graph and
// no lock. A body that cannot be decoded is told by ApplyAll, which counts it.
func Decode(logKey string, doc model.Document) Decoded {
	var body any
	if doc.Package != model.PackageDependencies {
		body = bodyOf(doc, nil)
	} else if d := new(model.Dependency); dependencyOf(doc, d, nil) {
		body = d
	}
	return decoded(logKey, doc, body)
}

func decoded(logKey string, doc model.Document, body any) Decoded {
	return Decoded{
		Name: doc.Name, Time: doc.Time, Progress: doc.Progress,
		key: logKey, at: received(logKey, doc.Time), gone: doc.Gone(), body: body,
	}
}

// Logged is a document with its place in the log.
type Logged struct {
	Key string
	model.Document
}

// decodeApart is how many documents are worth a goroutine of their own.
const decodeApart = 64

// DecodeAll decodes documents on all processors, in their order.
func DecodeAll(docs []Logged) []Decoded { return new(Decoder).All(docs) }

// Decoder decodes documents as DecodeAll does, some after others, in the same memory. The
// zero value is ready. It belongs to one goroutine at a time.
type Decoder struct {
	list         []Decoded
	dependencies []model.Dependency
	apart        []apart // one for each goroutine
	spare        int     // how often in a row it had far more room than it needed
}

// apart is what one goroutine decodes with.
type apart struct {
	texts  quick.Texts
	bodies bodies
}

// All decodes documents, in their order. They are good until it is called again: a graph has
// to have applied them.
func (d *Decoder) All(docs []Logged) []Decoded {
	d.make(docs)
	var parts, dependencies atomic.Int64
	inParts(len(docs), decodeApart, func(from, end int) {
		apart := &d.apart[parts.Add(1)-1]
		for i := from; i < end; i++ {
			doc := docs[i].Document
			var body any
			if doc.Package != model.PackageDependencies {
				body = bodyOf(doc, &apart.bodies)
			} else if into := &d.dependencies[dependencies.Add(1)-1]; dependencyOf(doc, into, &apart.texts) {
				body = into
			}
			d.list[i] = decoded(docs[i].Key, doc, body)
		}
	})
	return d.list
}

// spareRoom is how much more room than is needed a Decoder keeps, in documents, and spareFor
// how often in a row it may have more: many documents come between few ones.
const (
	spareRoom = 256
	spareFor  = 64
)

// make makes room for documents, and gives up what has been far too much for long.
func (d *Decoder) make(docs []Logged) {
	n := 0
	for i := range docs {
		if docs[i].Package == model.PackageDependencies {
			n++
		}
	}
	if d.spare++; cap(d.list) <= 4*len(docs)+spareRoom {
		d.spare = 0
	} else if d.spare > spareFor {
		d.list, d.dependencies, d.apart, d.spare = nil, nil, nil, 0
	}
	d.list = roomFor(d.list, len(docs))
	d.dependencies = roomFor(d.dependencies, n)
	clear(d.dependencies)
	if most := runtime.GOMAXPROCS(0); len(d.apart) < most {
		d.apart = make([]apart, most)
	}
	for i := range d.apart {
		d.apart[i].texts.Again()
		d.apart[i].bodies.again()
	}
}

// roomFor is a list so long, in the same memory where that is enough.
func roomFor[T any](list []T, n int) []T {
	if cap(list) < n {
		return make([]T, n)
	}
	return list[:n]
}

// dependencyOf decodes the body of a document into what is zero; false when there is none
// that can be.
func dependencyOf(doc model.Document, into *model.Dependency, texts *quick.Texts) bool {
	if doc.Gone() {
		return false
	}
	if quick.Dependency(doc.Body, into, texts) {
		return true
	}
	*into = model.Dependency{}
	return doc.Decode(into) == nil
}

// bodyOf decodes the body of a document that is no dependency; nil when there is none that can
// be. With room the bodies of which there are most are good until that is used again.
func bodyOf(doc model.Document, room *bodies) any {
	if doc.Gone() {
		return nil
	}
	var body any
	switch doc.Package {
	case model.PackageListeners:
		body = room.listener()
	case model.PackageIdentity:
		body = new(model.Identity)
	case model.PackageOS:
		body = new(model.OS)
	case model.PackageNetConfig:
		body = room.iface()
	case model.PackageNeighbors:
		body = room.neighbor()
	case model.PackageSeen:
		body = new(model.Seen)
	case model.PackageDHCP:
		body = new(model.DHCP)
	case model.PackageDHCPServers:
		body = new(model.DHCPServer)
	case model.PackageForwarding:
		body = new(model.Forwarding)
	case model.PackageRoutes:
		body = new(model.Route)
	case model.PackageRules:
		body = new(model.Rule)
	case model.PackageContainers:
		body = new(model.Container)
	case model.PackagePrograms:
		body = new(model.Program)
	case model.PackageNames:
		body = new(model.Asked)
	case model.PackageTranslations:
		body = new(model.Translation)
	case model.PackageVerdicts:
		body = new(model.Verdict)
	case model.PackageRings:
		body = new(model.Ring)
	case model.PackageAcks:
		body = new(model.Ack)
	case model.PackageSilences:
		body = new(model.Silence)
	case model.PackageLabels:
		body = new(model.HostLabels)
	case model.PackageRefused:
		body = new(model.Refused)
	default:
		return nil
	}
	if doc.Decode(body) != nil {
		return nil
	}
	return body
}

// take copies a decoded body; false when there is none.
func take[T any](d *Decoded, into *T) bool {
	body, ok := d.body.(*T)
	if ok {
		*into = *body
	}
	return ok
}
