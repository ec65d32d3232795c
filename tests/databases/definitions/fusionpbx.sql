-- The tables of FusionPBX 5 that are read, with the columns and types of its app_config.php files.
create table v_domains (domain_uuid uuid primary key, domain_parent_uuid uuid, domain_name text,
  domain_enabled boolean, domain_description text);
create table v_extensions (extension_uuid uuid primary key, domain_uuid uuid, extension text, number_alias text,
  password text, accountcode text, effective_caller_id_name text, effective_caller_id_number text,
  outbound_caller_id_name text, outbound_caller_id_number text, emergency_caller_id_number text,
  directory_first_name text, directory_last_name text, user_context text, toll_allow text, call_timeout numeric,
  call_group text, hold_music text, follow_me_uuid uuid, extension_language text, extension_type text,
  enabled boolean, description text, insert_date timestamptz, update_date timestamptz);
create table v_destinations (domain_uuid uuid, destination_uuid uuid primary key, dialplan_uuid uuid, fax_uuid uuid,
  user_uuid uuid, destination_type text, destination_number text, destination_trunk_prefix text,
  destination_area_code text, destination_prefix text, destination_condition_field text,
  destination_number_regex text, destination_caller_id_name text, destination_caller_id_number text,
  destination_context text, destination_record text, destination_accountcode text, destination_conditions json,
  destination_actions json, destination_order numeric, destination_enabled boolean, destination_description text);
create table v_xml_cdr (xml_cdr_uuid uuid primary key, domain_uuid uuid, extension_uuid uuid, sip_call_id text,
  domain_name text, accountcode text, direction text, default_language text, context text, caller_id_name text,
  caller_id_number text, caller_destination text, source_number text, destination_number text, start_epoch numeric,
  start_stamp timestamptz, answer_stamp timestamptz, answer_epoch numeric, end_epoch numeric, end_stamp timestamptz,
  duration numeric, mduration numeric, billsec numeric, billmsec numeric, bridge_uuid text, read_codec text,
  read_rate text, write_codec text, write_rate text, remote_media_ip text, network_addr text, record_path text,
  record_name text, leg char(1), originating_leg_uuid uuid, pdd_ms numeric, rtp_audio_in_mos numeric, last_app text,
  last_arg text, voicemail_message boolean, missed_call boolean, call_center_queue_uuid uuid, cc_side text,
  cc_queue text, conference_name text, pin_number text, hangup_cause text, hangup_cause_q850 numeric,
  sip_hangup_disposition text, xml text, json json);
