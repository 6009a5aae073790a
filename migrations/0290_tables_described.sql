-- What each table holds, for whoever opens the database or docs/schema.md. Locks: SHARE UPDATE EXCLUSIVE for the change of
-- the catalogue alone; reads and writes go on.

COMMENT ON TABLE case_record IS '办证信息：每件一行，为最新版本';
COMMENT ON TABLE case_history IS '办证信息的历史版本';
COMMENT ON TABLE matter_key IS '公证事项的比对键，用于发现重复申请';
COMMENT ON TABLE next_party IS '当事人的下一密钥标识';
COMMENT ON TABLE next_subject IS '标的的下一密钥标识';
COMMENT ON TABLE quality_finding IS '数据质量问题';
COMMENT ON TABLE reject IS '未入库的记录';
COMMENT ON TABLE sync_position IS '各公证处数据报送位置';
COMMENT ON TABLE notice IS '发给公证处的通知';
COMMENT ON TABLE hub_state IS '全市数据的世代：从备份恢复后更换';

COMMENT ON TABLE join_token IS '公证处接入令牌的摘要';
COMMENT ON TABLE certificate IS '已签发的公证处证书';
COMMENT ON TABLE account IS '人员账户';
COMMENT ON TABLE account_change IS '账户变更记录';
COMMENT ON TABLE person_session IS '登录会话';
COMMENT ON TABLE ended_session IS '提前结束的登录会话';
COMMENT ON TABLE used_id_token IS '已使用的统一身份认证令牌的摘要';
COMMENT ON TABLE recovery_code IS '恢复码的摘要';
COMMENT ON TABLE second_factor_offer IS '待确认的动态口令';
COMMENT ON TABLE token_key_check IS '标识密钥的校验值';

COMMENT ON TABLE lookup_intent IS '拟受理登记';
COMMENT ON TABLE lookup_counted IS '核查统计所至的审计记录';
COMMENT ON TABLE honey_token IS '诱饵标识';
COMMENT ON TABLE standing_key IS '关注事项的比对键';
COMMENT ON TABLE standing_event IS '关注事项的命中';

COMMENT ON TABLE link IS '可能为同一人的单元对';
COMMENT ON TABLE link_block IS '人员比对的分块键';
COMMENT ON TABLE link_overfull IS '过大而不予比对的分块键';
COMMENT ON TABLE link_judgement IS '是否同一人的人工认定';
COMMENT ON TABLE link_name_share IS '姓名的出现频率';
COMMENT ON TABLE link_candidate_share IS '候选权重的姓名出现频率';
COMMENT ON VIEW link_run IS '长时任务的旧名，供上一版本的程序使用';
COMMENT ON VIEW standing_party IS '供人员比对的当事人';
COMMENT ON TABLE link_work IS '等待人员比对的案件';

COMMENT ON TABLE filing IS '公证处的报送';
COMMENT ON TABLE filing_reminder IS '已发出的报送提醒';
COMMENT ON TABLE supervision_in_force IS '现行的监督规则与收费标准';
COMMENT ON TABLE supervision_look IS '案件下次复核的日期';
COMMENT ON TABLE supervision_step IS '监督问题的处理经过';
COMMENT ON TABLE supervision_work IS '等待监督规则检查的案件';
COMMENT ON TABLE inspection_item IS '检查督导发现的事项';
COMMENT ON TABLE inspection_step IS '检查督导的经过';

COMMENT ON TABLE rollup_basis IS '统计汇总所依据的规则与历法';
COMMENT ON TABLE audit_entry IS '审计记录：只增不改';
COMMENT ON TABLE audit_chain IS '旧审计哈希链的终点，仅一行';
COMMENT ON TABLE schema_floor IS '可与本库共用的程序的最低版本';

COMMENT ON TABLE relink_mention IS '重新比对的结果：mention，切换前暂存';
COMMENT ON TABLE relink_node IS '重新比对的结果：link_node，切换前暂存';
COMMENT ON TABLE relink_link IS '重新比对的结果：link，切换前暂存';
COMMENT ON TABLE relink_block IS '重新比对的结果：link_block，切换前暂存';
