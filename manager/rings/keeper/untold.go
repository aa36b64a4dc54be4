package keeper

import (
	"time"

	"cassini/model"
)

// untold is a document that is not in the manager's log yet. Of rings only the name is
// kept, for they are on disk themselves.
type untold struct {
	Name     model.Name      `json:"name"`
	Document *model.Document `json:"document,omitempty"`
}

// tell brings documents on their way, which an earlier life may have begun.
func (k *Keeper) tell(docs ...model.Document) {
	for _, doc := range docs {
		k.untold[doc.Name]++
	}
	k.docs = append(k.docs, docs...)
}

// untell notes, of what the round has to tell, what a later life needs to tell it too.
func (k *Keeper) untell() {
	for _, doc := range k.docs {
		u := untold{Name: doc.Name}
		if doc.Package != model.PackageRings {
			u.Document = &doc
		}
		k.changed.untold = append(k.changed.untold, u)
	}
}

// told notes that documents are in the log. This is forgotten on disk with the next
// change, for telling them again does no harm.
func (k *Keeper) told(docs []model.Document) {
	for _, doc := range docs {
		if k.untold[doc.Name]--; k.untold[doc.Name] <= 0 { // else a newer one is on its way
			delete(k.untold, doc.Name)
			k.changed.told = append(k.changed.told, doc.Name)
		}
	}
}

// tellAgain tells what an earlier life did not get to.
func (k *Keeper) tellAgain(list []*untold) {
	for _, u := range list {
		if u.Document != nil {
			k.tell(*u.Document)
			continue
		}
		k.tellRing(model.RingID(u.Name.Key))
	}
}

// tellRings tells of the rings that have changed.
func (k *Keeper) tellRings() {
	for id := range k.changed.dropped {
		if _, again := k.changed.rings[id]; !again {
			k.tellRing(id)
		}
	}
	for id := range k.changed.rings {
		k.tellRing(id)
	}
}

// tellRing makes a document of a ring as it is, or of there being none any more.
func (k *Keeper) tellRing(id model.RingID) {
	name := model.Name{Host: k.cfg.Host, Package: model.PackageRings, Key: string(id)}
	r, ok := k.rings.Ring(id)
	if !ok {
		k.tell(model.Document{Name: name, Time: time.Now().UTC()})
		return
	}
	doc, err := model.NewDocument(name, time.Now(), r)
	if err != nil {
		k.cfg.Logger.Error("tell of a ring", "error", err)
		return
	}
	k.tell(doc)
}
