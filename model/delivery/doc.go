// Package delivery is what agents and managers say to each other about documents over
// HTTP: which versions of the protocol there are and how two agree on one, the bodies of
// messages, and their compression. It is pure, and safe for concurrent use.
//
// Protocol 1 is POST /api/v1/documents with documents alone. Protocol 2 is POST
// /api/v1/deliveries: documents are numbered, so that none counts twice and a gap is
// noticed, and bodies may be compressed. Fields that one side does not know are left
// alone by it; a version is for what may not be left alone.
package delivery
