// Dashboards and rules for mailcanary, for tools that install mixins. The rules are those of rules/mailcanary.yml.
{
  grafanaDashboards+:: {
    'mailcanary-overview.json': import 'mailcanary-overview.json',
    'mailcanary-provider.json': import 'mailcanary-provider.json',
    'mailcanary-inbox.json': import 'mailcanary-inbox.json',
    'mailcanary-service.json': import 'mailcanary-service.json',
  },
  prometheusRules+:: { groups+: [
    {
      "name": "mailcanary-service-level",
      "rules": [
        {
          "expr": "vector(0.99)",
          "record": "mailcanary:objective:ratio"
        },
        {
          "expr": "sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total{outcome=\"missed\"}[5m]))\n/ (sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total[5m])) > 0)",
          "record": "mailcanary:canaries_missed:ratio_rate5m"
        },
        {
          "expr": "sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total{outcome=\"missed\"}[30m]))\n/ (sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total[30m])) > 0)",
          "record": "mailcanary:canaries_missed:ratio_rate30m"
        },
        {
          "expr": "sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total{outcome=\"missed\"}[1h]))\n/ (sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total[1h])) > 0)",
          "record": "mailcanary:canaries_missed:ratio_rate1h"
        },
        {
          "expr": "sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total{outcome=\"missed\"}[6h]))\n/ (sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total[6h])) > 0)",
          "record": "mailcanary:canaries_missed:ratio_rate6h"
        },
        {
          "expr": "histogram_quantile(0.5, sum by (le, instance, job, provider) (rate(mailcanary_delivery_latency_seconds_bucket[1h])))",
          "record": "mailcanary:delivery_latency_seconds:p50_1h"
        },
        {
          "expr": "histogram_quantile(0.95, sum by (le, instance, job, provider) (rate(mailcanary_delivery_latency_seconds_bucket[1h])))",
          "record": "mailcanary:delivery_latency_seconds:p95_1h"
        }
      ]
    },
    {
      "interval": "4m",
      "name": "mailcanary-service-level-days",
      "rules": [
        {
          "expr": "sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total{outcome=\"missed\"}[3d]))\n/ (sum by (instance, job, provider, stream) (rate(mailcanary_canaries_decided_total[3d])) > 0)",
          "record": "mailcanary:canaries_missed:ratio_rate3d"
        },
        {
          "expr": "sum by (instance, job, provider, stream, inbox, outcome) (increase(mailcanary_canaries_decided_total[28d]))",
          "record": "mailcanary:canaries_decided:increase28d"
        },
        {
          "expr": "sum by (instance, job, provider, stream) (mailcanary:canaries_decided:increase28d{outcome=\"missed\"})\n/ (sum by (instance, job, provider, stream) (mailcanary:canaries_decided:increase28d) > 0)",
          "record": "mailcanary:canaries_missed:ratio_rate28d"
        }
      ]
    },
    {
      "interval": "1h",
      "name": "mailcanary-service-level-hours",
      "rules": [
        {
          "expr": "sum by (instance, job, provider, stream, inbox, le) (increase(mailcanary_delivery_latency_seconds_bucket[1h]))",
          "record": "mailcanary:delivery_latency_seconds_bucket:increase1h"
        }
      ]
    }
  ] },
  prometheusAlerts+:: { groups+: [
    {
      "name": "mailcanary-alerts",
      "rules": [
        {
          "alert": "MailcanaryAbsent",
          "annotations": {
            "description": "Prometheus has no series of any mailcanary: nobody watches whether mail arrives. Look at the scrape configuration and at the daemon.",
            "runbook_url": "{{ with query \"last_over_time(mailcanary_status_page_info[1d])\" }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryabsent",
            "summary": "No mailcanary is scraped"
          },
          "expr": "absent(mailcanary_build_info)",
          "for": "5m",
          "labels": {
            "severity": "page"
          }
        },
        {
          "alert": "MailcanaryDown",
          "annotations": {
            "description": "It is down, cannot be reached, or its loop hangs: then a scrape fails after 5 s. Nobody watches mail meanwhile; its log says more.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanarydown",
            "summary": "mailcanary on {{ $labels.instance }} does not answer"
          },
          "expr": "(up{job=~\"mailcanary.*\"}) == 0",
          "for": "5m",
          "labels": {
            "severity": "page"
          }
        },
        {
          "alert": "MailcanaryIncident",
          "annotations": {
            "description": "The watchdog has an open incident that pages. Its status page has the evidence and the next step. For those who are not paged by the watchdog itself.",
            "runbook_url": "{{ with printf \"mailcanary_status_page_info{instance=%q}\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/{{ $labels.kind }}",
            "summary": "{{ $labels.kind }}: {{ $labels.culprit }}",
            "url": "{{ with printf \"mailcanary_status_page_info{instance=%q}\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/incidents/{{ with printf \"mailcanary_incident_number{instance=%q,kind=%q,culprit=%q}\" $labels.instance $labels.kind $labels.culprit | query }}{{ . | first | value }}{{ end }}"
          },
          "expr": "(mailcanary_incident_severity) == 3",
          "for": "0s",
          "labels": {
            "severity": "page"
          }
        },
        {
          "alert": "MailcanaryLedgerNotWritable",
          "annotations": {
            "description": "Nothing is sent or judged until it can: a full disk, lost rights, or another program that holds a lock.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryledgernotwritable",
            "summary": "mailcanary on {{ $labels.instance }} cannot write its ledger"
          },
          "expr": "(mailcanary_ledger_writable) == 0",
          "for": "2m",
          "labels": {
            "severity": "page"
          }
        },
        {
          "alert": "MailcanaryStandsStill",
          "annotations": {
            "description": "It answers, but what was due has not been done. Look at its log; restart it.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanarystandsstill",
            "summary": "The schedule of mailcanary on {{ $labels.instance }} is {{ $value | humanizeDuration }} late"
          },
          "expr": "(clamp_min(timestamp(mailcanary_next_wake_timestamp_seconds) - (mailcanary_next_wake_timestamp_seconds > 0), 0)) > 300",
          "for": "2m",
          "labels": {
            "severity": "page"
          }
        },
        {
          "alert": "MailcanaryNothingArrives",
          "annotations": {
            "description": "Providers took canaries and none came, over any route. If there is no incident, the watchdog itself is wrong.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/stopped",
            "summary": "No canary of mailcanary on {{ $labels.instance }} has arrived for half an hour"
          },
          "expr": "(sum by (instance, job) (increase(mailcanary_canaries_arrived_total[30m]))) == 0\nand sum by (instance, job) (increase(mailcanary_canaries_submitted_total{outcome=\"accepted\"}[30m])) > 5\nand sum by (instance, job) (mailcanary_canaries_arrived_total offset 30m) >= 0\nand on (instance, job) (time() - process_start_time_seconds > 1800)",
          "for": "5m",
          "labels": {
            "severity": "page"
          }
        },
        {
          "alert": "MailcanaryNoticesStuck",
          "annotations": {
            "description": "What the watchdog has to say is not heard there. Look at the sink and at the status page: an incident may be open.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/sink",
            "summary": "Sink {{ $labels.sink }} has not taken a notice of mailcanary for ten minutes"
          },
          "expr": "(min_over_time(mailcanary_notices_pending[10m])) > 0",
          "for": "5m",
          "labels": {
            "severity": "page"
          }
        },
        {
          "alert": "MailcanaryServiceLevelBurnsFast",
          "annotations": {
            "description": "At this rate 2 % of the budget of 28 days went in an hour. The dashboard mailcanary / Service level shows since when.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryservicelevelburnsfast",
            "summary": "Mail of {{ $labels.stream }} through {{ $labels.provider }} is missed {{ $value | humanize }} times faster than allowed"
          },
          "expr": "(mailcanary:canaries_missed:ratio_rate1h / on () group_left () (1 - mailcanary:objective:ratio)) > 14.4\nand (mailcanary:canaries_missed:ratio_rate5m / on () group_left () (1 - mailcanary:objective:ratio)) > 14.4\nand sum by (instance, job, provider, stream) (increase(mailcanary_canaries_decided_total{outcome=\"missed\"}[1h])) > 2.5",
          "for": "2m",
          "labels": {
            "severity": "page"
          }
        },
        {
          "alert": "MailcanaryIncidentWarns",
          "annotations": {
            "description": "The watchdog has an open incident that warns. Its status page has the evidence and the next step.",
            "runbook_url": "{{ with printf \"mailcanary_status_page_info{instance=%q}\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/{{ $labels.kind }}",
            "summary": "{{ $labels.kind }}: {{ $labels.culprit }}",
            "url": "{{ with printf \"mailcanary_status_page_info{instance=%q}\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/incidents/{{ with printf \"mailcanary_incident_number{instance=%q,kind=%q,culprit=%q}\" $labels.instance $labels.kind $labels.culprit | query }}{{ . | first | value }}{{ end }}"
          },
          "expr": "(mailcanary_incident_severity) == 2",
          "for": "5m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryServiceLevelBurnsSlowly",
          "annotations": {
            "description": "At this rate 5 % of the budget of 28 days went in six hours.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryservicelevelburnsslowly",
            "summary": "Mail of {{ $labels.stream }} through {{ $labels.provider }} is missed {{ $value | humanize }} times faster than allowed"
          },
          "expr": "(mailcanary:canaries_missed:ratio_rate6h / on () group_left () (1 - mailcanary:objective:ratio)) > 6\nand (mailcanary:canaries_missed:ratio_rate30m / on () group_left () (1 - mailcanary:objective:ratio)) > 6\nand sum by (instance, job, provider, stream) (increase(mailcanary_canaries_decided_total{outcome=\"missed\"}[6h])) > 2.5",
          "for": "15m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryRouteSilent",
          "annotations": {
            "description": "The provider took canaries and none came. If there is no incident of it, its inbox may be blind.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/stopped",
            "summary": "Nothing has arrived over {{ $labels.provider }}/{{ $labels.stream }}/{{ $labels.inbox }} for two hours"
          },
          "expr": "(sum by (instance, job, provider, stream, inbox) (increase(mailcanary_canaries_arrived_total[2h]))) == 0\nand sum by (instance, job, provider, stream, inbox) (increase(mailcanary_canaries_submitted_total{outcome=\"accepted\"}[2h])) > 3\nand sum by (instance, job, provider, stream, inbox) (mailcanary_canaries_arrived_total offset 2h) >= 0\nand on (instance, job) (time() - process_start_time_seconds > 7200)",
          "for": "10m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryNothingSent",
          "annotations": {
            "description": "No submission ended, whatever way. Budgets may be used up, or the ledger cannot be written; its status page says what it waits for.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanarynothingsent",
            "summary": "mailcanary on {{ $labels.instance }} has sent nothing for three hours"
          },
          "expr": "(sum by (instance, job) (increase(mailcanary_canaries_submitted_total[3h]))) == 0\nand on (instance, job) (time() - process_start_time_seconds > 10800)",
          "for": "15m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryJunk",
          "annotations": {
            "description": "Counted over six hours. Look at the authentication of the sender, and at what changed in the mail.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/junked",
            "summary": "{{ $value | humanizePercentage }} of what {{ $labels.provider }} brings to {{ $labels.inbox }} lies in Junk"
          },
          "expr": "(sum by (instance, job, provider, inbox) (increase(mailcanary_canaries_arrived_total{placement=\"junk\"}[6h]))\n/ (sum by (instance, job, provider, inbox) (increase(mailcanary_canaries_arrived_total[6h])) > 0)) > 0.2\nand sum by (instance, job, provider, inbox) (increase(mailcanary_canaries_arrived_total{placement=\"junk\"}[6h])) > 2.5",
          "for": "15m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryQuotaLow",
          "annotations": {
            "description": "Mail stops when it is used up, your users' as well.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/early_sign",
            "summary": "{{ $labels.provider }} has {{ $value | humanizePercentage }} of its quota left"
          },
          "expr": "(mailcanary_account_quota_remaining / (mailcanary_account_quota_limit > 0)) < 0.1",
          "for": "15m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryDnsChanged",
          "annotations": {
            "description": "Mail that depends on them fails sooner or later. The page /dns has before and after; what is meant is approved with `mailcanary dns approve`.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/dns",
            "summary": "{{ $value }} records of the kind {{ $labels.topic }} have changed for the worse"
          },
          "expr": "(sum by (instance, job, topic) (mailcanary_dns_changes{severity=~\"page|warn\",topic!=\"listed\"})) > 0",
          "for": "5m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryListed",
          "annotations": {
            "description": "Receivers that ask the list refuse its mail or file it into Junk. The page /dns says which list and why.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/listed",
            "summary": "{{ $value }} addresses or domains of provider {{ $labels.provider }} stand on a blocklist"
          },
          "expr": "(mailcanary_listed) > 0",
          "for": "5m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryDnsUnanswered",
          "annotations": {
            "description": "Records and blocklists are not watched meanwhile, and mail is not checked. See `[dns]` in the configuration.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/dns",
            "summary": "mailcanary on {{ $labels.instance }} gets no answer from any name server"
          },
          "expr": "(sum by (instance, job) (increase(mailcanary_dns_questions_total{outcome=\"failed\"}[30m]))) > 0\nand on (instance, job) sum by (instance, job) (increase(mailcanary_dns_questions_total{outcome=\"answered\"}[30m])) == 0",
          "for": "10m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryInboxBlind",
          "annotations": {
            "description": "It proves nothing about delivery until it can. A password, a limit of its host, or the way there: the status page has its words.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/blind",
            "summary": "Inbox {{ $labels.inbox }} cannot be read"
          },
          "expr": "(mailcanary_inbox_sight) == 0",
          "for": "15m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryInboxStale",
          "annotations": {
            "description": "What came since then is not known. One of its folders may hang.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/blind",
            "summary": "Inbox {{ $labels.inbox }} was last read whole {{ $value | humanizeDuration }} ago"
          },
          "expr": "(time() - (mailcanary_inbox_horizon_timestamp_seconds > 0)) > 1800",
          "for": "5m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryCredentialEnds",
          "annotations": {
            "description": "It is blind from then on. Make a new password, secret or refresh token, and write the day of its end as `expires`.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanarycredentialends",
            "summary": "What inbox {{ $labels.inbox }} is logged in to with ends in {{ $value | humanizeDuration }}"
          },
          "expr": "(mailcanary_credential_expiry_timestamp_seconds - time()) < 1814400",
          "for": "1h",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryCutOff",
          "annotations": {
            "description": "It blames nobody meanwhile, and sees nothing.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/cut_off",
            "summary": "mailcanary on {{ $labels.instance }} has no network"
          },
          "expr": "(mailcanary_watcher_cut_off) == 1",
          "for": "10m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryForged",
          "annotations": {
            "description": "Somebody imitates canaries, or two installations share an inbox: give each its own.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryforged",
            "summary": "Inbox {{ $labels.inbox }} got a canary that this installation did not make"
          },
          "expr": "(increase(mailcanary_canaries_forged_total[1h])) > 0",
          "for": "0s",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryRestartsOften",
          "annotations": {
            "description": "Its log says why it ends.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryrestartsoften",
            "summary": "mailcanary on {{ $labels.instance }} was started {{ $value }} times within an hour"
          },
          "expr": "(changes(process_start_time_seconds[1h])) > 3",
          "for": "0s",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryFileDescriptors",
          "annotations": {
            "description": "Raise the limit of the unit (LimitNOFILE).",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryfiledescriptors",
            "summary": "mailcanary on {{ $labels.instance }} has {{ $value | humanizePercentage }} of its file descriptors open"
          },
          "expr": "(process_open_fds / process_max_fds) > 0.8",
          "for": "15m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryHeartbeatHeld",
          "annotations": {
            "description": "There was no full cycle: the schedule, the ledger or all inboxes stand still.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryheartbeatheld",
            "summary": "Heartbeat {{ $labels.heartbeat }} is kept back"
          },
          "expr": "(mailcanary_heartbeat_held) == 1",
          "for": "5m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryHeartbeatMissing",
          "annotations": {
            "description": "The other side refuses it or does not answer; the status page has its words.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryheartbeatmissing",
            "summary": "Heartbeat {{ $labels.heartbeat }} was not taken for half an hour"
          },
          "expr": "(time() - mailcanary_heartbeat_last_success_timestamp_seconds) > 1800\nand on (instance, job) (time() - process_start_time_seconds > 1800)",
          "for": "0s",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryConfigurationRefused",
          "annotations": {
            "description": "The newest was refused: its complaints stand in the log and on the status page.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryconfigurationrefused",
            "summary": "mailcanary on {{ $labels.instance }} runs an older configuration than the newest"
          },
          "expr": "(mailcanary_config_last_reload_successful) == 0",
          "for": "5m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryNoticesRefused",
          "annotations": {
            "description": "Whoever listens there hears nothing. Try it with `mailcanary check --live`.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/sink",
            "summary": "Sink {{ $labels.sink }} refuses notices"
          },
          "expr": "(increase(mailcanary_notices_total{outcome=\"refused\"}[1h])) > 0",
          "for": "0s",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanarySinkTrialFailed",
          "annotations": {
            "description": "It would not take a page either.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/sink",
            "summary": "Sink {{ $labels.sink }} did not take its test notice"
          },
          "expr": "(mailcanary_sink_trial_success) == 0\nand mailcanary_sink_trial_timestamp_seconds > 0",
          "for": "5m",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryDrillPagedNobody",
          "annotations": {
            "description": "No sink took its page: an outage would not have been heard of. `mailcanary drill` runs it again and shows what each sink does.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanarydrillpagednobody",
            "summary": "The last drill of mailcanary on {{ $labels.instance }} paged nobody"
          },
          "expr": "(mailcanary_drill_last_page_seconds) == -1\nand mailcanary_drill_last_timestamp_seconds > 0",
          "for": "0s",
          "labels": {
            "severity": "warn"
          }
        },
        {
          "alert": "MailcanaryIncidentInforms",
          "annotations": {
            "description": "The watchdog has an open incident that neither pages nor warns.",
            "runbook_url": "{{ with printf \"mailcanary_status_page_info{instance=%q}\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/{{ $labels.kind }}",
            "summary": "{{ $labels.kind }}: {{ $labels.culprit }}",
            "url": "{{ with printf \"mailcanary_status_page_info{instance=%q}\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/incidents/{{ with printf \"mailcanary_incident_number{instance=%q,kind=%q,culprit=%q}\" $labels.instance $labels.kind $labels.culprit | query }}{{ . | first | value }}{{ end }}"
          },
          "expr": "(mailcanary_incident_severity) == 1",
          "for": "15m",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryServiceLevelBurns",
          "annotations": {
            "description": "Over three days more was missed than the objective allows.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryservicelevelburns",
            "summary": "Mail of {{ $labels.stream }} through {{ $labels.provider }} will break its promise at this rate"
          },
          "expr": "(mailcanary:canaries_missed:ratio_rate3d / on () group_left () (1 - mailcanary:objective:ratio)) > 1\nand (mailcanary:canaries_missed:ratio_rate6h / on () group_left () (1 - mailcanary:objective:ratio)) > 1\nand sum by (instance, job, provider, stream) (increase(mailcanary_canaries_decided_total{outcome=\"missed\"}[3d])) > 2.5",
          "for": "1h",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryNoticesDropped",
          "annotations": {
            "description": "They were too old, or overtaken by what happened next.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/sink",
            "summary": "Notices for sink {{ $labels.sink }} were given up"
          },
          "expr": "(increase(mailcanary_notices_total{outcome=\"dropped\"}[1h])) > 0",
          "for": "0s",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryAccountUnreadable",
          "annotations": {
            "description": "There are no early signs of it. The key may lack the right to read them; the status page has the provider's words.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/early_sign",
            "summary": "{{ $labels.provider }} does not say how the account stands"
          },
          "expr": "(mailcanary_account_readable) == 0",
          "for": "2h",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryBlocklistRefuses",
          "annotations": {
            "description": "It says nothing of listings meanwhile. Most lists refuse public resolvers: ask by one of your own, or with a key of the list.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/listed",
            "summary": "A blocklist does not answer the resolver of mailcanary on {{ $labels.instance }}"
          },
          "expr": "(increase(mailcanary_dns_questions_total{outcome=\"refused\"}[6h])) > 0",
          "for": "0s",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryProviderBudgetNearlySpent",
          "annotations": {
            "description": "Routine canaries wait when it is used up, and detection is slower. Raise canaries_per_day or lower the cadence.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryproviderbudgetnearlyspent",
            "summary": "Provider {{ $labels.provider }} has used {{ $value | humanizePercentage }} of its canaries for 24 hours"
          },
          "expr": "(mailcanary_provider_budget_spent / mailcanary_provider_budget_limit) > 0.95",
          "for": "1h",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryInboxBudgetNearlySpent",
          "annotations": {
            "description": "Routine canaries wait when it is used up, and detection is slower. Raise canaries_per_day or lower the cadence.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryinboxbudgetnearlyspent",
            "summary": "Inbox {{ $labels.inbox }} has got {{ $value | humanizePercentage }} of its canaries for 24 hours"
          },
          "expr": "(mailcanary_inbox_budget_spent / mailcanary_inbox_budget_limit) > 0.95",
          "for": "1h",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryDuplicates",
          "annotations": {
            "description": "Somebody on the way sends again what has arrived: your users get it twice, too.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryduplicates",
            "summary": "Inbox {{ $labels.inbox }} gets {{ $value | humanizePercentage }} of its mail twice"
          },
          "expr": "(sum by (instance, job, inbox) (increase(mailcanary_canaries_duplicate_total[6h]))\n/ (sum by (instance, job, inbox) (increase(mailcanary_canaries_arrived_total[6h])) > 0)) > 0.05",
          "for": "15m",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryReplayed",
          "annotations": {
            "description": "A forward, a shared inbox, or mail that came after it was forgotten.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryreplayed",
            "summary": "Inbox {{ $labels.inbox }} got a canary that is not its own"
          },
          "expr": "(increase(mailcanary_canaries_replayed_total[1h])) > 0",
          "for": "0s",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryWebhookRefused",
          "annotations": {
            "description": "Its key was changed, or somebody tries the address.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanarywebhookrefused",
            "summary": "Posts to the webhook of {{ $labels.provider }} are not signed by it"
          },
          "expr": "(increase(mailcanary_hook_requests_total{outcome=\"refused\"}[1h])) > 10",
          "for": "0s",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanarySinkTrialOld",
          "annotations": {
            "description": "Its `try_at` comes every week at least.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/sink",
            "summary": "Sink {{ $labels.sink }} was last tried {{ $value | humanizeDuration }} ago"
          },
          "expr": "(time() - (mailcanary_sink_trial_timestamp_seconds > 0)) > 691200",
          "for": "1h",
          "labels": {
            "severity": "info"
          }
        },
        {
          "alert": "MailcanaryVersionsDiffer",
          "annotations": {
            "description": "An installation was left behind by an update.",
            "runbook_url": "{{ with printf \"last_over_time(mailcanary_status_page_info{instance=%q}[1d])\" $labels.instance | query }}{{ . | first | label \"url\" }}{{ end }}/runbooks/alerts#mailcanaryversionsdiffer",
            "summary": "{{ $value }} versions of mailcanary run"
          },
          "expr": "(count(count by (version) (mailcanary_build_info))) > 1",
          "for": "1d",
          "labels": {
            "severity": "info"
          }
        }
      ]
    }
  ] },
}
