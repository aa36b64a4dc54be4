// Package tell makes documents of what the parts of the agent know.
package tell

import (
	"log/slog"
	"time"

	"cassini/model"
)

// Document makes a document of a body and hands it to emit; a nil body tells that what it
// was about is forgotten. A body that cannot be encoded is a mistake of this program: it is
// logged and left out.
func Document(emit func(...model.Document), log *slog.Logger, name model.Name, now time.Time, body any) {
	doc, err := model.NewDocument(name, now, body)
	if err != nil {
		log.Error("tell what is known", "error", err)
		return
	}
	emit(doc)
}
