package incidents

import (
	"fmt"
	"slices"
	"strings"

	"cassini/model"
)

func severity(k model.VerdictKind) string {
	switch k {
	case model.VerdictCrashed, model.VerdictSegment, model.VerdictPartition:
		return model.SeverityCritical
	case model.VerdictStopped, model.VerdictShutdown:
		return model.SeverityInfo
	}
	return model.SeverityWarning
}

// grave orders severities.
func grave(severity string) int {
	return slices.Index([]string{model.SeverityInfo, model.SeverityWarning, model.SeverityCritical}, severity)
}

// summarize says in one line what happened.
func summarize(i *model.Incident) {
	who := strings.Join(i.Subjects[:min(len(i.Subjects), 4)], ", ")
	if n := len(i.Subjects) - 4; n > 0 {
		who += fmt.Sprintf(" and %d more", n)
	}
	what := map[model.VerdictKind]string{
		model.VerdictCrashed:      " crashed: nobody hears anything from there",
		model.VerdictEnded:        ": the agent has ended, the host is up",
		model.VerdictHung:         ": the agent hangs or starves, the host's kernel answers",
		model.VerdictStopped:      ": the agent was stopped in order",
		model.VerdictShutdown:     " shut down in order",
		model.VerdictLink:         ": not heard by all, a link or an interface is down or loses datagrams",
		model.VerdictDeaf:         " is deaf: it hears no heartbeats and no answers, and is heard by others",
		model.VerdictUnobservable: ": silent, and nobody could confirm why",
		model.VerdictSegment:      " lost: nothing is heard of any host there",
		model.VerdictPartition:    " cut off together",
		model.VerdictManager:      " could not reach the manager",
	}[i.Kind]
	if i.Kind == model.VerdictSegment && len(i.Reports) > 0 && i.Reports[0].Evidence.Clue == "reunited" {
		what = " were cut off together, as they say themselves"
	}
	i.Summary = who + what
	if i.Zone != "" && i.Kind != model.VerdictSegment {
		i.Summary += " (" + i.Zone + ")"
	}
	switch i.State {
	case model.IncidentCorrected:
		i.Summary += "; corrected: the same life goes on"
	case model.IncidentClosed:
		i.Summary += "; over"
	}
}
